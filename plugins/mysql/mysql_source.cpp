#include "mysql_source.hpp"

#include <algorithm>
#include <map>
#include <memory>

#include "common/tool_words.hpp"
#include "dump_gaps.hpp"
#include "dump_tool.hpp"
#include "loader.hpp"
#include "table_reader.hpp"

namespace dbackup::mysql {
namespace {

constexpr size_t kBlock = 256 * 1024;
constexpr size_t kTail = 512;

std::string dump_program(Exec& exec) { return exec.which({"mariadb-dump", "mysqldump"}); }

ToolVersion version_of(Exec& exec, const std::string& program) {
  const ExitStatus status = exec.run({program, "--version"});
  if (!status.ok()) {
    throw Error{ErrorCode::FailedPrecondition, "\"" + program + "\" cannot be run", status.errors};
  }
  return ToolVersion::parse(status.output);
}

/// The tables and when each was made: when this differs after a dump, somebody changed the
/// structure meanwhile.
std::map<std::string, std::string> structure(Connection& server, const std::string& database) {
  std::map<std::string, std::string> out;
  for (const Row& row : server.query(
           "SELECT TABLE_NAME, CREATE_TIME FROM information_schema.TABLES WHERE TABLE_SCHEMA = " +
           server.literal(database))) {
    out[row[0].value_or("")] = row[1].value_or("");
  }
  return out;
}

void warn_of_change(const Call& call, const std::map<std::string, std::string>& before,
                    const std::map<std::string, std::string>& after) {
  std::string changed;
  for (const auto* side : {&before, &after}) {
    for (const auto& [name, made] : *side) {
      const auto other = (side == &before ? after : before).find(name);
      const bool same = other != (side == &before ? after : before).end() && other->second == made;
      if (!same && changed.find("\"" + name + "\"") == std::string::npos) {
        changed += (changed.empty() ? "\"" : ", \"") + name + "\"";
      }
    }
  }
  if (changed.empty()) return;
  call.warning("the structure was changed while the dump was made (" + changed +
               "): those tables may be missing or not from the same moment");
}

/// The first line of our dumps: what `--databases` would have said with CREATE DATABASE, for
/// whatever database the dump is fed into.
std::string collation_line(Connection& server) {
  const auto rows = server.query("SELECT @@character_set_database, @@collation_database");
  return "ALTER DATABASE CHARACTER SET " + rows.at(0).at(0).value_or("") + " COLLATE " +
         rows.at(0).at(1).value_or("") + ";\n";
}

/// The tool takes such a name for another one when it comes to events (it escapes it twice).
bool confuses_tool(const std::string& database) {
  return database.find_first_of("'\"\\") != std::string::npos;
}

/// The events as the tool would have written them.
void write_events(Connection& server, const std::string& database, Writer& out) {
  prepare_for_definitions(server);
  const std::vector<Definition> events = read_events(server, database);
  if (events.empty()) return;
  out.write("\n-- Events\n\nSET @saved_time_zone = @@time_zone;\nDELIMITER ;;\n");
  for (const Definition& event : events) {
    out.write(event.create.settings + ";;\n" + event.create.sql + ";;\n");
    out.write(std::string{kPlainSettings} + ";;\n");
  }
  out.write("DELIMITER ;\nSET time_zone = @saved_time_zone;\n\n-- Dump completed\n");
}

}  // namespace

MysqlSource::MysqlSource(const Config& config)
    : login_{Login::from(config)},
      dump_flags_{split_tool_words(config.text("options"), "options")},
      keep_definers_{config.text_or("definers", "strip") == "keep"} {
  check_dump_flags(dump_flags_);
}

RestoreLogins MysqlSource::logins(const std::optional<PrivilegedLogin>& privileged) const {
  return {.user = login_, .admin = login_.as(privileged)};
}

TestResult MysqlSource::test(Call& call) {
  const Connection server = Connection::open(call, login_);
  Exec exec{call};
  version_of(exec, dump_program(exec));
  return {.message = "Connection successful",
          .version = server.version().shown,
          .edition = server.version().mariadb ? "MariaDB" : "MySQL"};
}

DumpResult MysqlSource::dump(Call& call, const DumpRequest& request, Writer& out) {
  check_name(request.database);
  // A short visit of our own first: its errors have codes, those of a tool are text.
  Connection server = Connection::open(call, login_, request.database);
  Exec exec{call};
  DumpTool tool{.program = dump_program(exec), .version = {}, .flags = {}};
  tool.version = version_of(exec, tool.program);
  tool.flags = mysql::dump_flags(tool.version, server.version());
  for (auto& flag : find_gaps(call, server, request.database, tool.version, dump_flags_)) {
    tool.flags.push_back(std::move(flag));
  }
  const auto before = structure(server, request.database);
  out.write(collation_line(server));
  const uint64_t longest_line = run_tool(exec, call, tool, request.database, out);
  // The first connection may have been idle for longer than the server allows.
  Connection later = Connection::open(call, login_, request.database);
  const bool wants_events =
      std::find(dump_flags_.begin(), dump_flags_.end(), "--skip-events") == dump_flags_.end();
  if (confuses_tool(request.database) && wants_events) write_events(later, request.database, out);
  warn_of_change(call, before, structure(later, request.database));
  warn_of_packet(call, later, longest_line);
  return {.engine_version = server.version().shown};
}

/// The length of the longest line.
uint64_t MysqlSource::run_tool(Exec& exec, Call& call, const DumpTool& tool,
                               const std::string& database, Writer& out) const {
  const SideFile file = exec.side_file(login_file(login_, tool.version));
  std::vector<std::string> argv{tool.program, "--defaults-file=" + file.path()};
  argv.insert(argv.end(), tool.flags.begin(), tool.flags.end());
  argv.insert(argv.end(), dump_flags_.begin(), dump_flags_.end());
  if (confuses_tool(database)) argv.emplace_back("--skip-events");
  argv.emplace_back("--");  // names may begin with '-'
  argv.push_back(database);

  Process process = exec.start(argv);
  const auto buffer = std::make_unique<std::array<std::byte, kBlock>>();
  std::string tail;
  LongestLine longest;
  uint64_t done = 0;
  while (const size_t n = process.read(*buffer)) {
    call.check_cancelled();
    const std::span<const std::byte> block = std::span{*buffer}.first(n);
    out.write(block);
    longest.add(block);
    done += n;
    call.progress(done, 0);
    const std::span<const std::byte> last = block.last(std::min(n, kTail));
    tail.append(reinterpret_cast<const char*>(last.data()), last.size());
    if (tail.size() > kTail) tail.erase(0, tail.size() - kTail);
  }
  const ExitStatus ended = process.expect_success();
  for (const std::string& line : worth_logging(ended.errors)) call.warning(line);
  if (!is_finished(tail)) {
    throw Error{
        ErrorCode::DataLoss,
        "\"" + tool.program + "\" ended well, but its output lacks the line \"Dump completed\""};
  }
  return longest.size();
}

void MysqlSource::restore(Call& call, const RestoreRequest& request, Reader& in) {
  check_name(request.database);
  RestoreTarget target{call, logins(request.privileged), request.database, request.token};
  unsigned long session = 0;
  try {
    std::vector<Definition> events;
    bool sets_collation = false;
    {
      Connection server = Connection::open(call, target.login());
      session = server.session_id();
      Loader loader{call,
                    server,
                    {.original = request.original_name,
                     .working = target.working(),
                     .target = request.database,
                     .keep_definers = keep_definers_}};
      loader.run(in);
      events = loader.events();
      sets_collation = loader.sets_collation();
    }
    target.keep(events, sets_collation);
  } catch (const Error& error) {
    const std::string left = target.undo(session);
    if (left.empty()) throw;
    throw Error{error.code(), std::string{error.what()} + "; " + left, error.detail()};
  } catch (...) {
    target.undo(session);
    throw;
  }
}

void MysqlSource::list_databases(Call& call,
                                 const std::function<void(const DatabaseInfo&)>& found) {
  Connection server = Connection::open(call, login_);
  std::map<std::string, DatabaseInfo> all;
  for (const Row& row :
       server.query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME")) {
    const std::string name = row[0].value_or("");
    if (is_system_database(name) || is_restore_name(name)) continue;
    all[name] = {.name = name, .size_bytes = 0, .table_count = 0};
  }
  for (const Row& row : server.query(
           "SELECT TABLE_SCHEMA, SUM(COALESCE(DATA_LENGTH, 0) + COALESCE(INDEX_LENGTH, 0)),"
           " COUNT(*) FROM information_schema.TABLES"
           " WHERE TABLE_TYPE NOT IN ('VIEW', 'SYSTEM VIEW', 'SEQUENCE') GROUP BY TABLE_SCHEMA")) {
    const auto at = all.find(row[0].value_or(""));
    if (at == all.end()) continue;
    at->second.size_bytes = std::stoll(row[1].value_or("0"));
    at->second.table_count = std::stoll(row[2].value_or("0"));
  }
  for (const auto& [name, info] : all) found(info);
}

void MysqlSource::tables(Call& call, const Config& request, ItemSink& sink) {
  const std::string database = request.text("database");
  check_name(database);
  TableReader{call, login_, database}.tables(sink);
}

void MysqlSource::rows(Call& call, const Config& request, ItemSink& sink) {
  const RowsRequest wanted = RowsRequest::parse(request);
  check_name(wanted.database);
  TableReader{call, login_, wanted.database}.rows(wanted, sink);
}

void MysqlSource::prepare_restore(Call& call, const PrepareRestoreRequest& request) {
  const RestoreLogins who = logins(request.privileged);
  Connection::open(call, who.user);  // it has to get in as well
  Connection admin = Connection::open(call, who.admin);
  for (const std::string& name : request.databases) check_target(admin, name);
}

void MysqlSource::cleanup_restore(Call& call, const CleanupRestoreRequest& request) {
  clean_up(call, logins(request.privileged), request.token);
}

}  // namespace dbackup::mysql
