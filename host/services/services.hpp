#pragma once

#include "control/control_plane.hpp"
#include "services/adapter_service.hpp"
#include "services/api_key_service.hpp"
#include "services/audit_log.hpp"
#include "services/certificate_service.hpp"
#include "services/dashboard_service.hpp"
#include "services/download_service.hpp"
#include "services/encryption_profile_service.hpp"
#include "services/execution_service.hpp"
#include "services/health_monitor.hpp"
#include "services/job_service.hpp"
#include "services/notification_log_service.hpp"
#include "services/recovery_kit.hpp"
#include "services/restore_service.hpp"
#include "services/storage_service.hpp"
#include "services/template_service.hpp"

namespace dbackup::host {

/// All services over one control plane, which must outlive them. [any-thread]
struct Services {
  explicit Services(ControlPlane& plane)
      : control{plane},
        audit{plane.context().database, plane.context().clock},
        certificates{plane, audit},
        key_verifier{plane.context().database, plane.context().clock},
        api_keys{plane.context().database, plane.context().clock, key_verifier},
        profiles{plane.context().database, plane.context().clock, plane.context().box},
        recovery_kits{plane.context().database, plane.context().clock, profiles},
        adapters{plane, audit},
        jobs{plane, adapters, audit},
        templates{plane, audit},
        executions{plane, audit},
        notification_log{plane.context().database},
        dashboard{plane},
        storage{plane, audit},
        downloads{plane, audit},
        restores{plane, audit},
        health{plane.context().database, plane.context().clock} {}

  ControlPlane& control;
  AuditLog audit;
  CertificateService certificates;
  ApiKeyVerifier key_verifier;
  ApiKeyService api_keys;
  EncryptionProfileService profiles;
  RecoveryKitService recovery_kits;
  AdapterService adapters;
  JobService jobs;
  TemplateService templates;
  ExecutionService executions;
  NotificationLogService notification_log;
  DashboardService dashboard;
  StorageService storage;
  DownloadService downloads;
  RestoreService restores;
  HealthMonitor health;
};

}  // namespace dbackup::host
