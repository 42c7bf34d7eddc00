# syntax=docker/dockerfile:1
# The bundle is all that the image adds to Node: no package manager, no node_modules, no shell. Both bases are pinned;
# a registry of one's own is named by --build-arg.
ARG BUILD_IMAGE=docker.io/library/node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian12:nonroot@sha256:14d42e2511532589a7c7e01a753667a74fcc96266e137e8125006b87b0c32d0a

# The bundle is the same for every platform: it is built on the builder's own.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY scripts/build.ts scripts/
COPY src src
RUN node scripts/build.ts

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=""
LABEL org.opencontainers.image.title="auth0-user-operator" \
      org.opencontainers.image.description="Keeps Auth0 users declared in YAML true" \
      org.opencontainers.image.source="https://github.com/auth0-user-operator/auth0-user-operator" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /src/dist/main.js /app/main.js
USER 65532:65532
EXPOSE 8080 8081
# Both keep the process small (docs/performance.md): one arena for malloc, and memory given back after the start.
ENV MALLOC_ARENA_MAX=1
ENTRYPOINT ["/nodejs/bin/node", "--expose-gc", "/app/main.js"]
CMD ["run"]
