#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "model/principal.hpp"

/// Plain structs of the nouns, as the metadata keeps them. Times are milliseconds UTC; an empty string
/// stands for "none" where a reference to another row is optional.
namespace dbackup::host {

struct AdapterConfig {
  std::string id;
  std::string name;           ///< unique within type
  std::string type;           ///< database, storage, notification
  std::string adapter_id;     ///< kind: postgres, local-filesystem, …
  std::string sealed_config;  ///< JSON of the whole configuration, sealed with context "adapter/<id>"
  Json metadata;              ///< object or null
  std::string primary_credential_id, ssh_credential_id, default_retention_policy_id;
  std::string storage_role = "DESTINATION";
  std::optional<TimeMs> last_health_check;
  std::string last_status = "ONLINE";
  std::string last_error;
  int64_t consecutive_failures = 0;
  TimeMs created_at = 0, updated_at = 0;
};

struct JobDestination {
  std::string id, job_id, config_id;
  int64_t priority = 0;
  Json retention = Json::object();
  std::string retention_policy_id;
  TimeMs created_at = 0, updated_at = 0;
};

/// A folder that a job backs up. Archives refer to its id.
struct JobSource {
  std::string id, config_id, path;
  int64_t priority = 0;
  std::vector<std::string> exclude_patterns, exclude_preset_ids;
  bool stop_containers = true;
  TimeMs created_at = 0, updated_at = 0;
};

/// A notification template of a job; those of the smallest priority come first.
struct JobNotificationTemplate {
  std::string id, template_id;
  int64_t priority = 0;
};

struct Job {
  std::string id;
  std::string name;  ///< unique
  std::string schedule;
  bool enabled = true;
  std::string source_id;
  std::vector<std::string> databases;
  std::string compression = "ZSTD";
  std::string pg_compression;
  std::string encryption_profile_id, naming_template_id, schedule_preset_id;
  std::string notification_events = "ALWAYS";
  std::vector<std::string> notification_ids;
  std::vector<JobNotificationTemplate> notification_templates;  ///< if any, notification_ids do not count
  bool skip_verification = false;
  std::string backup_mode = "FULL";
  int64_t full_every_days = 7;
  bool verify_by_hash = false;
  std::vector<JobDestination> destinations;  ///< by priority
  std::vector<JobSource> directory_sources;  ///< by priority
  TimeMs created_at = 0, updated_at = 0;
};

/// Execution::status: Pending → Running → Success | Partial | Failed | Cancelled.
struct Execution {
  std::string id;
  std::string job_id;    ///< "" once the job is deleted, and for restores
  std::string job_name;  ///< kept when the job goes
  std::string type = "Backup";  ///< Backup, Restore, Verification, IntegrityCheck, System Restore
  std::string status = "Pending";
  int64_t progress = 0;  ///< 0-100
  std::string stage = "Queued";
  std::string detail;
  TimeMs started_at = 0;  ///< enqueue time while Pending
  std::optional<TimeMs> ended_at;
  int64_t size = 0;
  std::string path;
  std::string error;  ///< why it is Failed, Partial or Cancelled
  Json metadata = Json::object();
  std::string trigger_type, trigger_label;
  Json labels = Json::object();
  Json options = Json::object();  ///< lock, and what a restore needs (secrets sealed)
  std::string host_id;            ///< process that runs it; "" while Pending
  TimeMs heartbeat_at = 0;
};

struct LogEntry {
  int64_t seq = 0;  ///< from 1, per execution, without gaps
  TimeMs at = 0;
  std::string level;  ///< info, success, warning, error
  std::string type;   ///< general, command, storage, security
  std::string stage, message, details;
  std::optional<int64_t> duration_ms;
};

/// A path that a run may leave something at: recorded before any destination may commit.
struct Reservation {
  std::string token;  ///< marks the temporaries at this destination; primary key
  std::string execution_id, destination_id, path;
  TimeMs created_at = 0;
};

/// One stored backup as the catalog knows it; the sidecar at the destination says the same.
struct StoredBackup {
  std::string id, destination_id, path;  ///< (destination_id, path) is unique
  std::string execution_id, job_id, job_name;
  int64_t size = 0;
  TimeMs modified_at = 0;
  bool locked = false;
  std::string signature = "unsigned";  ///< signed, unsigned, tampered
  Json sidecar = Json::object();       ///< empty: the backup has none
  TimeMs seen_at = 0;                  ///< last listing that showed it
};

struct EncryptionIdentity {
  std::string id;
  std::string sealed_identity;  ///< AGE-SECRET-KEY-1…, sealed with context "identity/<id>"; "" in a write-only profile
  std::string recipient;        ///< age1…
  bool active = true;           ///< false: kept to read old backups
  TimeMs created_at = 0;
};

struct EncryptionProfile {
  std::string id;
  std::string name;  ///< unique
  std::string description;
  std::vector<EncryptionIdentity> identities;
  std::vector<std::string> extra_recipients;  ///< escrow keys
  bool retired = false;  ///< hidden, still tried at restore
  TimeMs created_at = 0, updated_at = 0;
};

struct ApiKey {
  std::string id, name, prefix, hash;  ///< hash: SHA-256 of the raw key, hex; unique
  PermissionSet permissions;
  std::string user_id, user_name, user_email;  ///< "" for keys without an owner
  std::optional<TimeMs> expires_at, last_used_at;
  bool enabled = true;
  TimeMs created_at = 0;
};

/// The stored answer of a request that carried an Idempotency-Key.
struct IdempotentAnswer {
  std::string principal, route, key;
  std::string body_hash;
  int64_t status = 0;  ///< 0: still in flight
  std::string answer;
  TimeMs created_at = 0;
};

}  // namespace dbackup::host
