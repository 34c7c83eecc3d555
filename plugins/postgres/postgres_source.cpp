#include "postgres_source.hpp"

#include <array>
#include <random>

#include "common/tool_words.hpp"
#include "table_reader.hpp"
#include "tool_flags.hpp"

namespace dbackup::postgres {
namespace {

constexpr size_t kBlock = 256 * 1024;
constexpr std::string_view kMagic = "PGDMP";

/// What our tool's session is called on the server, so that it can be found again.
std::string session_name() {
  std::random_device random;
  std::string out = "dbackup-";
  for (int i = 0; i < 16; ++i) out += "0123456789abcdef"[random() & 15U];
  return out;
}

/// A tool together with the login it was given.
struct Tool {
  std::optional<SideFile> password;  // before process: removed after it has ended
  Process process;
};

Tool start_tool(Call& call, const Login& login, const std::vector<std::string>& argv, bool input) {
  Exec exec{call};
  ProgramOptions options{.input = input, .output = input ? Output::Discard : Output::Pipe};
  std::optional<SideFile> password;
  if (!login.password.empty()) {
    password = exec.side_file(password_line(login.password));
    options.environment["PGPASSFILE"] = password->path();
  }
  Process process = exec.start(argv, options);
  return {std::move(password), std::move(process)};
}

std::vector<std::string> tool_argv(const char* program, const Login& login,
                                   const std::string& database, const std::string& session) {
  return {program, "-h",       login.host, "-p", std::to_string(login.port),
          "-U",    login.user, "-w",       "-d", tool_conninfo(login, database, session)};
}

std::string tool_version(Call& call, const char* program) {
  const ExitStatus status = Exec{call}.run({program, "--version"});
  if (!status.ok()) {
    throw Error{ErrorCode::FailedPrecondition, "\"" + std::string{program} + "\" cannot be run",
                status.errors};
  }
  return status.output;
}

void require_tool(Call& call, const Compression& compression) {
  if (compression.needs_major == 0) return;
  const int major = major_version(tool_version(call, "pg_dump"));
  if (major < compression.needs_major) {
    throw Error{ErrorCode::InvalidArgument,
                "pgCompression " + compression.name + " needs pg_dump " +
                    std::to_string(compression.needs_major) + " or newer; this one is version " +
                    std::to_string(major)};
  }
}

std::vector<std::string> names(const Config& config) {
  std::vector<std::string> out;
  const auto add = [&](std::string_view text) {  // "a, b" is a list too
    while (true) {
      const size_t comma = text.find(',');
      std::string_view item = text.substr(0, comma);
      while (item.starts_with(' ')) item.remove_prefix(1);
      while (item.ends_with(' ')) item.remove_suffix(1);
      if (!item.empty()) out.emplace_back(item);
      if (comma == std::string_view::npos) return;
      text.remove_prefix(comma + 1);
    }
  };
  if (config.has("database") && config.json().at("database").is_array())
    return config.list("database");
  add(config.text("database"));
  return out;
}

/// Feeds `head` and the rest of `in`, always one block behind: the end of `in` is the permission to
/// commit, and pg_restore commits on its own as soon as it has the last byte of the archive. False
/// when the tool stopped reading.
bool feed(Call& call, Process& tool, std::span<const std::byte> head, Reader& in) {
  std::vector<std::byte> held(head.begin(), head.end());
  std::vector<std::byte> next(kBlock);
  uint64_t done = 0;
  while (true) {
    call.check_cancelled();
    const size_t n = in.read(next);
    if (!tool.write(held)) return false;
    done += held.size();
    call.progress(done, 0);
    if (n == 0) break;
    held.assign(next.begin(), next.begin() + static_cast<std::ptrdiff_t>(n));
  }
  tool.close_input();
  return true;
}

void drain(Call& call, Reader& in) {
  std::vector<std::byte> block(kBlock);
  while (in.read(block) > 0) call.check_cancelled();
}

void require_custom_format(std::string_view head) {
  if (head == kMagic) return;
  const bool text = head.starts_with("--") || head.starts_with("SET") || head.starts_with("\n--");
  throw Error{ErrorCode::InvalidArgument,
              text ? "the backup is plain SQL text, not a dump in pg_dump's custom format; "
                     "feed it to psql instead"
                   : "the backup is not a dump in pg_dump's custom format"};
}

}  // namespace

PostgresSource::PostgresSource(const Config& config)
    : login_{Login::from(config)},
      configured_{names(config)},
      dump_flags_{split_tool_words(config.text("options"), "options")},
      restore_flags_{split_tool_words(config.text("restoreOptions"), "restoreOptions")},
      restore_ownership_{config.flag_or("restoreOwnership", false)} {
  check_dump_flags(dump_flags_);
  check_restore_flags(restore_flags_);
}

TargetAccess PostgresSource::access(const std::optional<PrivilegedLogin>& privileged) const {
  TargetAccess out{login_, configured_};
  if (privileged && !privileged->user.empty()) {
    out.login.user = privileged->user;
    out.login.password = privileged->password;
  }
  return out;
}

TestResult PostgresSource::test(Call& call) {
  const Connection server = Connection::open_any(call, login_, configured_);
  const int major = major_version(tool_version(call, "pg_dump"));
  if (major > 0 && major < server.server_major()) {
    throw Error{ErrorCode::FailedPrecondition,
                "pg_dump " + std::to_string(major) + " cannot dump from a server of version " +
                    server.server_version() + "; install postgresql-client " +
                    std::to_string(server.server_major())};
  }
  return {.message = "Connection successful", .version = server.server_version()};
}

DumpResult PostgresSource::dump(Call& call, const DumpRequest& request, Writer& out) {
  check_name(request.database);
  const Compression compression =
      compression_flags(request.options.text("pgCompression"), request.compressed_by_host);
  require_tool(call, compression);
  // A short visit of our own first: its errors have codes, those of a tool are text.
  const std::string version = Connection::open(call, login_, request.database).server_version();

  const std::string session = session_name();
  std::vector<std::string> argv = tool_argv("pg_dump", login_, request.database, session);
  argv.emplace_back("-Fc");
  argv.insert(argv.end(), compression.flags.begin(), compression.flags.end());
  // Last: a flag that lacks its value must not swallow one of ours.
  argv.insert(argv.end(), dump_flags_.begin(), dump_flags_.end());
  try {
    Tool tool = start_tool(call, login_, argv, /*input=*/false);
    tool.process.copy_output_to(out, call);
    tool.process.expect_success();
  } catch (...) {
    end_leftovers(call, session);
    throw;
  }
  return {.engine_version = version, .already_compressed = compression.compresses};
}

void PostgresSource::end_leftovers(Call& call, const std::string& session) const noexcept {
  try {
    Connection server = Connection::open_any(call, login_, configured_, Patience::Cleanup);
    end_sessions(server, session);
  } catch (...) {  // the operation has its error already, and the server ends lost sessions itself
  }
}

void PostgresSource::restore(Call& call, const RestoreRequest& request, Reader& in) {
  check_name(request.database);
  std::array<std::byte, kMagic.size()> head{};
  const size_t got = in.read_full(head);
  require_custom_format({reinterpret_cast<const char*>(head.data()), got});

  const TargetAccess target_access = access(request.privileged);
  RestoreTarget target{call, target_access, request.database, request.original_name, request.token};
  const std::string session = session_name();
  std::vector<std::string> argv =
      tool_argv("pg_restore", target_access.login, target.working(), session);
  // One transaction that ends at the first error: a failed restore leaves every row as it was.
  for (const char* flag :
       {"--single-transaction", "--exit-on-error", "--clean", "--if-exists", "--no-tablespaces"}) {
    argv.emplace_back(flag);
  }
  if (!restore_ownership_) {
    argv.emplace_back("--no-owner");
    argv.emplace_back("--no-acl");
  }
  argv.insert(argv.end(), restore_flags_.begin(), restore_flags_.end());
  try {
    // Leaving this block early kills pg_restore, and only then closes its input.
    Tool tool = start_tool(call, target_access.login, argv, /*input=*/true);
    const bool all = feed(call, tool.process, head, in);
    tool.process.expect_success();
    if (!all) drain(call, in);  // whatever follows the archive: its end still decides
    target.keep();
  } catch (const Error& error) {
    const std::string left = target.undo(session);
    if (left.empty()) throw;
    throw Error{error.code(), std::string{error.what()} + "; " + left, error.detail()};
  } catch (...) {
    target.undo(session);
    throw;
  }
}

void PostgresSource::list_databases(Call& call,
                                    const std::function<void(const DatabaseInfo&)>& found) {
  Connection server = Connection::open_any(call, login_, configured_);
  const auto rows = server.query(
      "SELECT datname, pg_catalog.has_database_privilege(oid, 'CONNECT'),"
      " CASE WHEN pg_catalog.has_database_privilege(oid, 'CONNECT')"
      " THEN pg_catalog.pg_database_size(oid) END"
      " FROM pg_catalog.pg_database WHERE NOT datistemplate AND datallowconn"
      " AND datname NOT LIKE $1 ORDER BY datname",
      {kWorkingNames});
  for (const Row& row : rows) {
    DatabaseInfo info{.name = row[0].value_or("")};
    if (row[2]) info.size_bytes = std::stoll(*row[2]);
    if (row[1] == "t") {
      try {  // a count is a courtesy: pg_hba.conf may refuse this one database
        Connection inside = Connection::open(call, login_, info.name);
        const auto count = inside.query(
            "SELECT pg_catalog.count(*) FROM pg_catalog.pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')");
        if (!count.empty() && count.front()[0]) info.table_count = std::stoll(*count.front()[0]);
      } catch (const Error& error) {
        if (error.code() == ErrorCode::Cancelled) throw;
      }
    }
    found(info);
  }
}

void PostgresSource::tables(Call& call, const Config& request, ItemSink& sink) {
  const std::string database = request.text("database");
  check_name(database);
  TableReader{call, login_, database}.tables(sink);
}

void PostgresSource::rows(Call& call, const Config& request, ItemSink& sink) {
  const RowsRequest wanted = RowsRequest::parse(request);
  check_name(wanted.database);
  TableReader{call, login_, wanted.database}.rows(wanted, sink);
}

void PostgresSource::prepare_restore(Call& call, const PrepareRestoreRequest& request) {
  const TargetAccess target = access(request.privileged);
  Connection server = Connection::open_any(call, target.login, target.configured);
  for (const std::string& name : request.databases) check_target(server, name);
  Exec{call}.which({"pg_restore"});
}

void PostgresSource::cleanup_restore(Call& call, const CleanupRestoreRequest& request) {
  drop_working_database(call, access(request.privileged), request.token);
}

}  // namespace dbackup::postgres
