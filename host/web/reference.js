// Shows this server's own document and nothing of anybody else: no fonts, proxies, agents or statistics from elsewhere.
Scalar.createApiReference('#reference', {
  url: '/openapi.json',
  baseServerURL: location.origin,
  proxyUrl: '',
  authentication: { preferredSecurityScheme: 'bearer' },
  persistAuth: false,
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: 'never',
  defaultOpenAllTags: false,
  showOperationId: true,
  metaData: { title: 'DBackup API reference' },
});
