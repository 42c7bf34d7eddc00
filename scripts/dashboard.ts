/** The Grafana dashboard: what stands where, and the query behind it. `$tenant` is a variable that its reader sets. */

interface Panel {
  readonly title: string;
  readonly description: string;
  readonly queries: readonly (readonly [legend: string, expr: string])[];
  readonly unit?: string;
  readonly kind?: "timeseries" | "stat";
}

const PREFIX = "auth0_user_operator";
const REQUESTS = `${PREFIX}_auth0_requests_total{tenant=~"$tenant"}`;

const ROWS: readonly (readonly [title: string, panels: readonly Panel[]])[] = [
  [
    "Users",
    [
      {
        title: "Users by reason",
        description: "What the Ready condition says; docs/troubleshooting.md tells what each means.",
        queries: [["{{reason}}", `sum by (reason) (${PREFIX}_users)`]],
      },
      {
        title: "Drift",
        description: "Attributes that were changed at Auth0 behind the specs' back, an hour.",
        queries: [["{{attribute}} {{action}}", `sum by (attribute, action) (increase(${PREFIX}_drift_total[1h]))`]],
      },
      {
        title: "Paused",
        description:
          "Tenants whose deletions or changes wait for a person's word: the tenant object says how to confirm.",
        kind: "stat",
        queries: [["{{tenant}} {{what}}", `max by (tenant, what) (${PREFIX}_paused)`]],
      },
      {
        title: "Leader",
        description: "How many replicas act: 1, or for a few seconds none.",
        kind: "stat",
        queries: [["leaders", `sum(leader_election_master_status{name="auth0-user-operator"})`]],
      },
    ],
  ],
  [
    "Auth0",
    [
      {
        title: "Calls",
        description: "By what was asked for.",
        unit: "reqps",
        queries: [["{{method}} {{route}}", `sum by (method, route) (rate(${REQUESTS}[$__rate_interval]))`]],
      },
      {
        title: "Answers",
        description: "0 is no answer at all, 429 the rate limit.",
        unit: "reqps",
        queries: [["{{status}}", `sum by (status) (rate(${REQUESTS}[$__rate_interval]))`]],
      },
      {
        title: "Time of a call, p99",
        description: "From sending it to the end of the answer.",
        unit: "s",
        queries: [
          [
            "{{method}} {{route}}",
            `histogram_quantile(0.99, sum by (method, route, le) (rate(${PREFIX}_auth0_request_duration_seconds_bucket{tenant=~"$tenant"}[$__rate_interval])))`,
          ],
        ],
      },
      {
        title: "Quota left",
        description: "The share of each rate limit that is left, and where it will be in ten minutes at this pace.",
        unit: "percentunit",
        queries: [
          [
            "{{tenant}} {{bucket}}",
            `${PREFIX}_auth0_quota_remaining{tenant=~"$tenant"} / ${PREFIX}_auth0_quota_limit{tenant=~"$tenant"}`,
          ],
          [
            "{{tenant}} {{bucket}} in 10 min",
            `clamp_min(predict_linear(${PREFIX}_auth0_quota_remaining{tenant=~"$tenant"}[15m], 600), 0) / ${PREFIX}_auth0_quota_limit{tenant=~"$tenant"}`,
          ],
        ],
      },
      {
        title: "Calls that wait",
        description: "For the rate limit to let them through.",
        queries: [["{{tenant}} {{bucket}}", `${PREFIX}_auth0_quota_waiting_calls{tenant=~"$tenant"}`]],
      },
      {
        title: "Access token ends in",
        description: "Renewed with the first call in the last tenth of its life.",
        unit: "s",
        queries: [["{{tenant}}", `${PREFIX}_auth0_token_expiry_timestamp_seconds{tenant=~"$tenant"} - time()`]],
      },
    ],
  ],
  [
    "Work",
    [
      {
        title: "Reconciles",
        description: "By how they ended.",
        unit: "ops",
        queries: [
          [
            "{{result}}",
            `sum by (result) (rate(controller_runtime_reconcile_total{controller="auth0user"}[$__rate_interval]))`,
          ],
        ],
      },
      {
        title: "Queue",
        description: "Users that wait to be looked at now, by urgency.",
        queries: [["{{priority}}", `sum by (priority) (workqueue_depth{name="auth0user"})`]],
      },
      {
        title: "Wait and work, p99",
        description: "How long a user waited to be looked at, and how long looking took.",
        unit: "s",
        queries: [
          [
            "wait, {{priority}}",
            `histogram_quantile(0.99, sum by (priority, le) (rate(workqueue_queue_duration_seconds_bucket{name="auth0user"}[$__rate_interval])))`,
          ],
          [
            "work",
            `histogram_quantile(0.99, sum by (le) (rate(workqueue_work_duration_seconds_bucket{name="auth0user"}[$__rate_interval])))`,
          ],
        ],
      },
      {
        title: "Calls to the API server",
        description: "By method and answer.",
        unit: "reqps",
        queries: [
          ["{{method}} {{code}}", `sum by (method, code) (rate(rest_client_requests_total[$__rate_interval]))`],
        ],
      },
      {
        title: "Event loop lag, p99",
        description: "How long work waits for the process itself.",
        unit: "s",
        queries: [["{{instance}}", `nodejs_eventloop_lag_p99_seconds and on (instance) ${PREFIX}_build_info`]],
      },
      {
        title: "Memory",
        description: "Resident.",
        unit: "bytes",
        queries: [["{{instance}}", `process_resident_memory_bytes and on (instance) ${PREFIX}_build_info`]],
      },
    ],
  ],
];

const WIDTH = 8;
const HEIGHT = 8;
const DATASOURCE = { type: "prometheus", uid: "$datasource" };

export function dashboard(): object {
  return {
    uid: "auth0-user-operator",
    title: "auth0-user-operator",
    tags: ["auth0", "kubernetes"],
    schemaVersion: 39,
    editable: true,
    refresh: "30s",
    time: { from: "now-3h", to: "now" },
    templating: {
      list: [
        { name: "datasource", type: "datasource", query: "prometheus" },
        {
          name: "tenant",
          type: "query",
          datasource: DATASOURCE,
          query: { query: `label_values(${PREFIX}_auth0_requests_total, tenant)`, refId: "tenant" },
          refresh: 2,
          multi: true,
          includeAll: true,
          allValue: ".*",
          current: { text: "All", value: "$__all" },
        },
      ],
    },
    panels: panels(),
  };
}

function panels(): readonly object[] {
  let y = 0;
  let id = 0;
  return ROWS.flatMap(([title, row]) => {
    const heading = {
      id: ++id,
      type: "row",
      title,
      collapsed: false,
      gridPos: { h: 1, w: 24, x: 0, y: y++ },
      panels: [],
    };
    const top = y;
    y += Math.ceil((row.length * WIDTH) / 24) * HEIGHT;
    return [
      heading,
      ...row.map(({ kind = "timeseries", title: name, description, queries, unit = "short" }, index) => ({
        id: ++id,
        type: kind,
        title: name,
        description,
        datasource: DATASOURCE,
        gridPos: {
          h: HEIGHT,
          w: WIDTH,
          x: (index * WIDTH) % 24,
          y: top + Math.floor((index * WIDTH) / 24) * HEIGHT,
        },
        fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
        targets: queries.map(([legendFormat, expr], query) => ({
          refId: String.fromCodePoint("A".charCodeAt(0) + query),
          datasource: DATASOURCE,
          expr,
          legendFormat,
        })),
      })),
    ];
  });
}
