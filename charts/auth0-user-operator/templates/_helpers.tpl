{{- define "auth0-user-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "auth0-user-operator.fullname" -}}
{{- $name := include "auth0-user-operator.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "auth0-user-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "auth0-user-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- /* Of every object; not for selectors, which must never change. A label of one's own does not replace one of these. */}}
{{- define "auth0-user-operator.labels" -}}
{{- $own := dict
  "app.kubernetes.io/name" (include "auth0-user-operator.name" .)
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service
  "app.kubernetes.io/part-of" "auth0-user-operator"
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_")
}}
{{- mergeOverwrite (omit .Values.commonLabels "app.kubernetes.io/component" | deepCopy) $own | toYaml }}
{{- end }}

{{- define "auth0-user-operator.podLabels" -}}
{{- $own := dict "app.kubernetes.io/component" "operator" }}
{{- mergeOverwrite (deepCopy .Values.podLabels) (include "auth0-user-operator.labels" . | fromYaml) $own | toYaml }}
{{- end }}

{{- /* Of objects that belong to no namespace: releases that serve chosen namespaces may share a name. */}}
{{- define "auth0-user-operator.clusterScopedName" -}}
{{ include "auth0-user-operator.fullname" . }}{{ if .Values.namespaces }}-{{ .Release.Namespace }}{{ end }}
{{- end }}

{{- define "auth0-user-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "auth0-user-operator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "auth0-user-operator.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{- /* What the default tenant grants: all, a list, or nothing where there is no such tenant. */}}
{{- define "auth0-user-operator.grants" -}}
{{- with .Values.defaultTenant -}}
{{- if $.Values.simulator.enabled }}{{ default "all" .grants | toJson }}
{{- else if .enabled }}
{{- if kindIs "invalid" .grants }}
{{- fail "defaultTenant.grants has to be chosen: all, or a list of grants as in a ClusterAuth0Tenant (docs/tenants.md); defaultTenant.enabled=false where all tenants are objects" }}
{{- end }}{{ .grants | toJson }}
{{- else if not (or $.Values.allowedTenantDomains $.Values.extraArgs $.Values.extraEnv) }}
{{- fail "without a tenant of its own (defaultTenant.enabled=false) the operator needs allowedTenantDomains, such as acme.eu.auth0.com: the domains that tenant objects may name" }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Where the simulator is reached in the cluster. */}}
{{- define "auth0-user-operator.simulatorHost" -}}
{{ include "auth0-user-operator.fullname" . }}-simulator.{{ .Release.Namespace }}.svc:4400
{{- end }}
