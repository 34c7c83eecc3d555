#pragma once

#include "control/control_plane.hpp"
#include "services/adapter_history.hpp"
#include "services/adapter_probes.hpp"
#include "services/adapter_service.hpp"
#include "services/api_key_service.hpp"
#include "services/audit_log.hpp"
#include "services/audit_reader.hpp"
#include "services/certificate_service.hpp"
#include "services/credential_service.hpp"
#include "services/dashboard_service.hpp"
#include "services/download_service.hpp"
#include "services/encryption_profile_service.hpp"
#include "services/execution_service.hpp"
#include "services/group_service.hpp"
#include "services/health_monitor.hpp"
#include "services/job_service.hpp"
#include "services/oauth.hpp"
#include "services/profile_recovery.hpp"
#include "services/notification_log_service.hpp"
#include "services/notification_settings_service.hpp"
#include "services/recovery_kit.hpp"
#include "services/restore_service.hpp"
#include "services/server_files.hpp"
#include "services/session_verifier.hpp"
#include "services/settings_service.hpp"
#include "services/sign_in_service.hpp"
#include "services/source_tables.hpp"
#include "services/storage_service.hpp"
#include "services/system_task_service.hpp"
#include "services/template_service.hpp"
#include "services/two_factor_service.hpp"
#include "services/user_service.hpp"

namespace dbackup::host {

/// All services over one control plane, which must outlive them. [any-thread]
struct Services {
  explicit Services(ControlPlane& plane)
      : control{plane},
        audit{plane.context().database, plane.context().clock},
        certificates{plane, audit},
        key_verifier{plane.context().database, plane.context().clock, plane.context().live},
        session_verifier{plane.context().database, plane.context().clock, plane.context().live},
        sign_in{plane, audit, session_verifier},
        two_factor{plane, audit, sign_in, session_verifier},
        users{plane, audit, session_verifier, key_verifier},
        groups{plane, audit, session_verifier, key_verifier},
        api_keys{plane.context().database, plane.context().clock, key_verifier, audit},
        profiles{plane.context().database, plane.context().clock, plane.context().box, audit},
        profile_recovery{plane, profiles},
        recovery_kits{plane.context().database, plane.context().clock, profiles, audit},
        credentials{plane, audit},
        adapters{plane, audit},
        probes{plane},
        history{plane},
        source_tables{plane},
        server_files{plane.context().data_dir},
        oauth{plane},
        jobs{plane, adapters, audit},
        templates{plane, audit},
        executions{plane, audit},
        notification_log{plane.context().database},
        dashboard{plane},
        storage{plane, audit},
        downloads{plane, audit},
        restores{plane, audit},
        settings{plane, audit},
        notification_settings{plane, audit},
        system_tasks{plane, audit},
        audit_reader{plane.context().database},
        health{plane.context().database, plane.context().clock} {}

  ControlPlane& control;
  AuditLog audit;
  CertificateService certificates;
  ApiKeyVerifier key_verifier;
  SessionVerifier session_verifier;
  SignInService sign_in;
  TwoFactorService two_factor;
  UserService users;
  GroupService groups;
  ApiKeyService api_keys;
  EncryptionProfileService profiles;
  ProfileRecovery profile_recovery;
  RecoveryKitService recovery_kits;
  CredentialService credentials;
  AdapterService adapters;
  AdapterProbes probes;
  AdapterHistory history;
  SourceTables source_tables;
  ServerFiles server_files;
  OAuthService oauth;
  JobService jobs;
  TemplateService templates;
  ExecutionService executions;
  NotificationLogService notification_log;
  DashboardService dashboard;
  StorageService storage;
  DownloadService downloads;
  RestoreService restores;
  SettingsService settings;
  NotificationSettingsService notification_settings;
  SystemTaskService system_tasks;
  AuditReader audit_reader;
  HealthMonitor health;
};

}  // namespace dbackup::host
