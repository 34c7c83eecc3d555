#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace dbackup::host::protocol {

/// What host and worker say to each other: one JSON object per line, at most kMaxLine bytes, unknown
/// members ignored. The first line each way is the greeting {"protocol":1,"version":"…"}.
///
///   host → worker (stdin):   Request lines {"id":"1","op":"ping","body":{…}}, {"op":"cancel"},
///                            {"op":"proceed","accept":true} (the answer to a "reserve" event)
///   worker → host (events):  Event lines {"id":"1","event":"log",…}; each request ends with exactly
///                            one "result" or "error"
constexpr int kVersion = 1;
constexpr size_t kMaxLine = 1024 * 1024;

enum class Operation {
  Describe,
  Test,
  Ping,
  ListDatabases,
  PrepareRestore,
  Backup,
  Restore,
  List,
  Fetch,
  Stat,
  Remove,
  Verify,
  Cleanup,
  WriteSidecar,
  Notify,
  CleanupRestore,
  DatabaseStats,
  Tables,
  Rows,
  Browse,
  TestSsh,
  ListRemote,
  ArchiveContents,
};
std::string_view to_string(Operation operation) noexcept;
/// Throws Error{InvalidArgument} for an unknown name.
Operation parse_operation(std::string_view name);

/// A host key that was accepted before.
struct SshHostKey {
  std::string type;         ///< "ssh-ed25519", …; "": not known
  std::string fingerprint;  ///< "SHA256:…"
};
/// What the host knows about the SSH server of an adapter.
struct SshTrust {
  std::string policy = "strict";  ///< "trust-first", "strict" or "accept-any"
  std::vector<SshHostKey> known;
};

/// A plugin's adapter with its complete configuration: defaults applied, credentials merged, secrets in
/// clear. Travels on stdin only.
struct AdapterRef {
  std::string plugin_path;
  std::string adapter_id;
  Json config = Json::object();
  SshTrust ssh;  ///< of the server its SSH options name
};

struct DescribeRequest {
  std::string plugin_path;
};
struct DescribeResult {
  std::string plugin_id, name, version;
  uint32_t abi_major = 0, abi_minor = 0;
  std::vector<Json> adapters;  ///< descriptors, as the plugin gave them (parsed, checked)
};

/// Test → {message, version?, edition?}; Ping → {latencyMs}; ListDatabases → "item" events
/// {name, sizeInBytes?, tableCount?}, then {}; DatabaseStats → the same items, then {version?, edition?}.
struct AdapterRequest {
  AdapterRef adapter;
};

/// Items {name, type, rowCount?, sizeInBytes?}, then {}.
struct TablesRequest {
  AdapterRef adapter;
  std::string database;
};
/// First item {columns, totalCount}, then one per row (column → text or null), then {}.
struct RowsRequest {
  AdapterRef adapter;
  Json query = Json::object();  ///< as sdk/README.md has it: database, table, page, pageSize, …
};
/// Items {name, path}: the folders directly below; then {}.
struct BrowseRequest {
  AdapterRef adapter;
  std::string path;
};

/// An SSH login that belongs to no adapter yet: `config` holds it in the options that start with
/// `prefix`. TestSsh → {message}, after looking at the folder `path` unless it is empty; ListRemote:
/// items {name, type: file|directory, size?, modifiedMs?} of the folder `path`, then {path}.
struct SshRequest {
  std::string prefix;
  Json config = Json::object();
  SshTrust ssh;
  std::string path;
};

struct PrivilegedLogin {
  std::string user, password;
};

struct PrepareRestoreRequest {
  AdapterRef adapter;
  std::vector<std::string> databases;
  PrivilegedLogin privileged;  ///< empty user: none
};

struct BackupDestination {
  std::string id;     ///< adapter configuration
  std::string name;   ///< for people
  AdapterRef adapter;
  std::string token;  ///< marks temporaries of this run at this destination
};

struct BackupRequest {
  std::string execution_id;
  AdapterRef source;
  std::string database;
  /// An archive of these instead of a dump of `database`; empty: no archive.
  std::vector<std::string> databases;
  Json source_options = Json::object();  ///< of the job: pgCompression
  std::string compression;               ///< ZSTD, GZIP, BROTLI, NONE
  std::vector<std::string> recipients;   ///< age1…; empty: not sealed
  std::string path_stem;                 ///< "<job folder>/<pattern>", before suffix and extension
  std::string extension;                 ///< of the dump, without dot
  std::vector<BackupDestination> destinations;
  Json sidecar = Json::object();  ///< what the host knows of it; the worker adds sizes, hashes, engine
  std::string mac_key;            ///< 64 hex; signs the sidecar of this execution only
  int64_t memory_bytes = 0;       ///< 0: built-in limit
  /// How a committed file is confirmed: "size" (what the destination says of it: size, and the hash
  /// where it computes one), "read" (read back and hashed).
  std::string confirm = "size";
};
/// A failed destination is a member of the result, also when all of them failed; an "error" means that
/// there was nothing to store (source, reservation, cancellation), and that nothing was left anywhere.
struct BackupDestinationResult {
  std::string id;
  std::string path;
  bool success = false;
  int32_t error_code = 0;
  std::string error;
  std::string detail;
  std::string confirmed;  ///< "size" or "sha256"
};
struct BackupResult {
  std::string path;  ///< the same at all destinations
  uint64_t size = 0, plain_size = 0;
  std::string sha256;
  std::string engine_version;
  Json sidecar = Json::object();  ///< as written, MAC included
  std::vector<BackupDestinationResult> destinations;
};

/// How to read a stored file.
struct StoredFile {
  AdapterRef storage;
  std::string path;
  std::string compression;              ///< "": by suffix, then by magic
  std::string sha256;                   ///< expected of the stored bytes; "": not known
  /// Expected of an archive's index, through which each of its parts is checked; "": not known.
  std::string index_sha256 = {};
  std::vector<std::string> identities;  ///< AGE-SECRET-KEY-1…, tried in order
};

/// A database of an archive and the name it is to be restored under.
struct DatabaseMapping {
  std::string original_name, target_name;
};

struct RestoreRequest {
  StoredFile file;
  AdapterRef source;
  std::string database;
  std::string original_name;
  PrivilegedLogin privileged;
  Json source_options = Json::object();
  std::string token;  ///< marks what the restore makes at the target: the execution's id
  /// What to restore of an archive, in this order; empty: every database under its own name, or
  /// `original_name` alone into `database`.
  std::vector<DatabaseMapping> databases;
};

/// After a restore whose worker or host was killed: removes what it made and did not finish. → {}
struct CleanupRestoreRequest {
  AdapterRef adapter;
  std::string database;
  std::string token;
  PrivilegedLogin privileged;  ///< the one the restore had
};

/// "item" events {path, size, modifiedMs, storageClass?, sidecar?: text}, then {}. With `sidecars` the
/// text of "<path>.meta.json" comes with its file, and sidecars are not items of their own.
struct ListRequest {
  AdapterRef adapter;
  std::string prefix;
  bool sidecars = false;
};

/// First event "start" {total, offset, length}: total is the size of the representation; then the
/// bytes on the bulk descriptor; then {}. length -1: to the end. `unseal`: decrypted, still compressed.
/// Also ArchiveContents, for which `file` is an archive → {databases: [name]}.
struct FetchRequest {
  StoredFile file;
  bool unseal = false;
  int64_t offset = 0;
  int64_t length = -1;
};

struct PathRequest {  ///< Stat → {exists, object?: {path,size,modifiedMs}}; Verify → {sha256, size}
  AdapterRef adapter;
  std::string path;
};
struct RemoveRequest {  ///< → {removed: [paths]}; a missing path is no error
  AdapterRef adapter;
  std::vector<std::string> paths;
};
struct CleanupRequest {  ///< → {removed: n}
  AdapterRef adapter;
  std::string token;
};
struct WriteSidecarRequest {  ///< replaces "<path>.meta.json" by `content`
  AdapterRef adapter;
  std::string path;
  std::string content;
  std::string token;
};
struct NotifyRequest {
  AdapterRef adapter;
  Json event = Json::object();  ///< eventType, title, message, success, color, badge, timestamp, fields
};

struct Request {
  std::string id;
  Operation op = Operation::Ping;
  Json body = Json::object();
};

enum class EventKind { Log, Progress, Stage, Item, Start, Reserve, Result, Error, HostKey };
std::string_view to_string(EventKind kind) noexcept;

/// Log: {level: info|success|warning|error, type: general|command|storage|security, message, details?}
/// Progress: {done, total, detail?} (total 0: unknown) · Stage: {name} · Item, Start, Result: see requests
/// Reserve: {path}: the worker waits for "proceed" before it opens any destination's put
/// HostKey: {host, port, type, fingerprint}: of an SSH server, accepted because none was known
/// Error: {code, reason?, message, detail?}
struct Event {
  std::string request_id;
  EventKind kind = EventKind::Log;
  uint64_t seq = 0;   ///< from 1, per worker
  int64_t at_ms = 0;  ///< time of day
  Json data = Json::object();
};

Json greeting(std::string_view program_version);
/// Throws Error{FailedPrecondition} when the other side speaks another protocol.
void check_greeting(const Json& line);

std::string encode(const Request& request);  ///< one line, with its '\n'
std::string encode(const Event& event);
Request decode_request(std::string_view line);  ///< throws Error{InvalidArgument} on garbage
Event decode_event(std::string_view line);

}  // namespace dbackup::host::protocol
