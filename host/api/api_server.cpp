#include "api/api_server.hpp"

#include <algorithm>

#include "api/dispatcher.hpp"
#include "api/http_server.hpp"
#include "api/origin_check.hpp"
#include "api/resources/account_resource.hpp"
#include "api/resources/adapter_history_resource.hpp"
#include "api/resources/adapter_probes_resource.hpp"
#include "api/resources/adapters_resource.hpp"
#include "api/resources/auth_resource.hpp"
#include "api/resources/audit_log_resource.hpp"
#include "api/resources/certificate_resource.hpp"
#include "api/resources/credentials_resource.hpp"
#include "api/resources/dashboard_resource.hpp"
#include "api/resources/documents_resource.hpp"
#include "api/resources/executions_resource.hpp"
#include "api/resources/groups_resource.hpp"
#include "api/resources/jobs_resource.hpp"
#include "api/resources/keys_resource.hpp"
#include "api/resources/settings_resource.hpp"
#include "api/resources/oauth_resource.hpp"
#include "api/resources/server_files_resource.hpp"
#include "api/resources/source_tables_resource.hpp"
#include "api/resources/ssh_host_keys_resource.hpp"
#include "api/resources/status_resource.hpp"
#include "api/resources/storage_resource.hpp"
#include "api/resources/stored_backups_resource.hpp"
#include "api/resources/system_tasks_resource.hpp"
#include "api/resources/templates_resource.hpp"
#include "api/resources/two_factor_resource.hpp"
#include "api/resources/users_resource.hpp"
#include "api/resources/vault_resource.hpp"
#include "api/run_follower.hpp"
#include "api/tls.hpp"
#include "services/services.hpp"

namespace dbackup::host {

namespace {

RunFollowerOptions follower_options(const ApiServerOptions& options) {
  RunFollowerOptions out = options.follower;
  // Followers keep their connections; others need some too.
  out.most = std::min(out.most, std::max<size_t>(1, options.http.max_connections / 4 * 3));
  return out;
}

}  // namespace

struct ApiServer::Parts {
  Parts(Services& services, const ApiServerOptions& options,
        std::vector<std::unique_ptr<Authenticator>> first_authenticators)
      : authenticators{std::move(first_authenticators)},
        gate{services.control.context().live, services.control.context().clock},
        idempotency{services.control.context().database, services.control.context().clock},
        changes{services.control.context().database},
        origins{services.control.context().live, options.public_url},
        follower{services.executions, *services.control.context().news,
                 services.control.context().clock, follower_options(options)},
        status{services},
        auth{services, {.public_url = options.public_url, .is_https = options.is_https}},
        two_factor{services, options.is_https},
        account{services},
        users{services},
        groups{services},
        ssh_host_keys{services},
        keys{services},
        vault{services},
        certificate{services},
        credentials{services},
        adapters{services},
        adapter_probes{services},
        adapter_history{services},
        source_tables{services},
        server_files{services},
        oauth{services},
        jobs{services, follower},
        templates{services},
        executions{services, follower},
        dashboard{services},
        storage{services, {.public_url = options.public_url, .is_https = options.is_https}},
        stored_backups{services},
        settings{services},
        system_tasks{services},
        audit_log{services},
        documents{routes,
                  {.program_version = services.control.context().program_version,
                   .public_url = options.public_url,
                   .is_https = options.is_https,
                   .web_folder = options.web_folder}} {
    authenticators.push_back(std::make_unique<SessionAuthenticator>(services.session_verifier));
    authenticators.push_back(std::make_unique<ApiKeyAuthenticator>(services.key_verifier));
    status.mount(routes);
    auth.mount(routes);
    two_factor.mount(routes);
    account.mount(routes);
    users.mount(routes);
    groups.mount(routes);
    ssh_host_keys.mount(routes);
    keys.mount(routes);
    vault.mount(routes);
    certificate.mount(routes);
    credentials.mount(routes);
    adapters.mount(routes);
    adapter_probes.mount(routes);
    adapter_history.mount(routes);
    source_tables.mount(routes);
    server_files.mount(routes);
    oauth.mount(routes);
    jobs.mount(routes);
    templates.mount(routes);
    executions.mount(routes);
    dashboard.mount(routes);
    storage.mount(routes);
    stored_backups.mount(routes);
    settings.mount(routes);
    system_tasks.mount(routes);
    audit_log.mount(routes);
    documents.mount(routes);
    std::vector<Authenticator*> in_order;
    for (const auto& authenticator : authenticators) in_order.push_back(authenticator.get());
    dispatcher =
        std::make_unique<Dispatcher>(routes, std::move(in_order), idempotency, changes,
                                     DispatcherOptions{.log_requests = options.log_requests,
                                                       .is_https = options.is_https,
                                                       .gate = &gate,
                                                       .origins = &origins});
    follower.check_with([this](const HttpRequest& request, const Access& access) {
      return dispatcher->may(request, access);
    });
    HttpServerOptions http = options.http;
    if (services.certificates.is_enabled()) {
      tls = std::make_shared<TlsListener>(services.certificates.ensure());
      services.certificates.on_change(
          [tls = tls](const CertificatePair& pair) { tls->replace(pair); });
      http.transport = [tls = tls](int socket) { return tls->accept(socket); };
    }
    server = std::make_unique<HttpServer>(std::move(http), *dispatcher);
  }

  /// Whoever waits has an answer before the server goes.
  ~Parts() { follower.stop(); }

  std::vector<std::unique_ptr<Authenticator>> authenticators;
  ClientGate gate;
  Idempotency idempotency;
  ConditionalChanges changes;
  OriginCheck origins;
  RunFollower follower;
  StatusResource status;
  AuthResource auth;
  TwoFactorResource two_factor;
  AccountResource account;
  UsersResource users;
  GroupsResource groups;
  SshHostKeysResource ssh_host_keys;
  KeysResource keys;
  VaultResource vault;
  CertificateResource certificate;
  CredentialsResource credentials;
  AdaptersResource adapters;
  AdapterProbesResource adapter_probes;
  AdapterHistoryResource adapter_history;
  SourceTablesResource source_tables;
  ServerFilesResource server_files;
  OAuthResource oauth;
  JobsResource jobs;
  TemplatesResource templates;
  ExecutionsResource executions;
  DashboardResource dashboard;
  StorageResource storage;
  StoredBackupsResource stored_backups;
  SettingsResource settings;
  SystemTasksResource system_tasks;
  AuditLogResource audit_log;
  DocumentsResource documents;
  RouteTable routes;
  std::shared_ptr<TlsListener> tls;
  std::unique_ptr<Dispatcher> dispatcher;
  std::unique_ptr<HttpServer> server;
};

ApiServer::ApiServer(Services& services, ApiServerOptions options,
                     std::vector<std::unique_ptr<Authenticator>> authenticators)
    : parts_{std::make_unique<Parts>(services, options, std::move(authenticators))} {}

ApiServer::~ApiServer() = default;

void ApiServer::start() { parts_->server->start(); }

uint16_t ApiServer::port() const { return parts_->server->port(); }

bool ApiServer::drain_and_stop(std::chrono::milliseconds deadline) {
  const bool is_drained = parts_->server->drain_and_stop(deadline);
  parts_->follower.stop();
  return is_drained;
}

RequestHandler& ApiServer::handler() noexcept { return *parts_->dispatcher; }

const RouteTable& ApiServer::routes() const noexcept { return parts_->routes; }

}  // namespace dbackup::host
