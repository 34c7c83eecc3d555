#include "tests/support/postgres_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

namespace dbackup::testing {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Finish {
  void operator()(PGconn* raw) const noexcept { PQfinish(raw); }
};
struct Clear {
  void operator()(PGresult* raw) const noexcept { PQclear(raw); }
};

/// The newest server's programs; Debian keeps them outside PATH.
fs::path programs() {
  fs::path best;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator{"/usr/lib/postgresql", none}) {
    if (fs::exists(entry.path() / "bin/postgres") && entry.path() > best) best = entry.path();
  }
  return best / "bin";
}

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  if (!bound) throw std::runtime_error{"no free port"};
  return ntohs(address.sin_port);
}

pid_t spawn(const std::vector<std::string>& argv, uid_t uid, gid_t gid, const fs::path& log,
            const fs::path& folder) {
  std::vector<char*> args;
  for (const auto& word : argv) args.push_back(const_cast<char*>(word.c_str()));
  args.push_back(nullptr);
  std::array environment{const_cast<char*>("PATH=/usr/bin:/bin"),
                         const_cast<char*>("LC_ALL=C.UTF-8"), static_cast<char*>(nullptr)};
  const pid_t pid = fork();
  if (pid != 0) return pid;
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, 0);
  dup2(out, 1);
  dup2(out, 2);
  close_range(3, ~0U, 0);
  if (geteuid() == 0 && (setgroups(0, nullptr) != 0 || setgid(gid) != 0 || setuid(uid) != 0))
    _exit(126);
  prctl(PR_SET_PDEATHSIG, SIGQUIT);  // after setuid, which would clear it
  if (chdir(folder.c_str()) != 0) _exit(126);
  execve(args[0], args.data(), environment.data());
  _exit(127);
}

}  // namespace

bool PostgresServer::installed() { return fs::exists(programs() / "postgres"); }

PostgresServer::PostgresServer(const std::vector<std::string>& settings) {
  std::string name = (fs::temp_directory_path() / "dbackup-postgres-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
  folder_ = name;
  uid_ = geteuid();
  gid_ = getegid();
  if (uid_ == 0) {  // the server refuses to be run by root
    const passwd* account = getpwnam("postgres");
    if (account == nullptr) account = getpwnam("nobody");
    if (account == nullptr) throw std::runtime_error{"no unprivileged user to run the server"};
    uid_ = account->pw_uid;
    gid_ = account->pw_gid;
    if (chown(name.c_str(), uid_, gid_) != 0)
      throw std::runtime_error{"cannot give " + name + " away"};
  }
  initialise();
  std::ofstream{folder_ / "data/postgresql.conf", std::ios::app} << [&] {
    std::string text =
        "fsync=off\nsynchronous_commit=off\nfull_page_writes=off\nshared_buffers=32MB\n"
        "max_connections=40\nautovacuum=off\nlog_min_messages=fatal\n"
        "listen_addresses='127.0.0.1'\nunix_socket_directories='" +
        folder_.string() + "'\n";
    for (const auto& line : settings) text += line + "\n";
    return text;
  }();
  constexpr int kAttempts = 5;  // the free port may be taken before the server has it
  for (int i = 0; i < kAttempts; ++i) {
    port_ = free_port();
    if (start()) return;
  }
  const std::string why = log_tail();
  fs::remove_all(folder_);
  throw std::runtime_error{"the server did not start: " + why};
}

PostgresServer::~PostgresServer() {
  kill();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void PostgresServer::initialise() {
  const fs::path password_file = folder_ / "password";
  std::ofstream{password_file} << password_ << "\n";
  const pid_t pid = spawn({(programs() / "initdb").string(), "-D", (folder_ / "data").string(),
                           "-U", user_, "--no-sync", "--no-instructions", "--encoding=UTF8",
                           "--locale=C.UTF-8", "--auth-host=scram-sha-256", "--auth-local=trust",
                           "--wal-segsize=4", "--pwfile=" + password_file.string()},
                          uid_, gid_, log_file(), folder_);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) throw std::runtime_error{"initdb failed: " + log_tail()};
}

bool PostgresServer::start() {
  pid_ = spawn({(programs() / "postgres").string(), "-D", (folder_ / "data").string(), "-p",
                std::to_string(port_)},
               uid_, gid_, log_file(), folder_);
  const std::string where = "host='" + folder_.string() + "' port=" + std::to_string(port_) +
                            " user=postgres dbname=postgres";
  const auto deadline = Clock::now() + std::chrono::seconds{60};
  while (Clock::now() < deadline) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return false;
    }
    if (PQping(where.c_str()) == PQPING_OK) return true;
    poll(nullptr, 0, 5);
  }
  kill();
  return false;
}

void PostgresServer::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGQUIT);  // "immediate": it ends its children and itself, without writing anything
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

std::string PostgresServer::log_tail() const {
  std::ifstream file{log_file()};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  return text.size() > 2000 ? text.substr(text.size() - 2000) : text;
}

std::string PostgresServer::sql(const std::string& database, const std::string& text) const {
  const std::string port = std::to_string(port_);
  const std::string folder = folder_.string();
  const std::array<const char*, 6> keys{"host", "port", "user", "dbname", "client_encoding",
                                        nullptr};
  const std::array<const char*, 6> values{folder.c_str(),   port.c_str(), user_.c_str(),
                                          database.c_str(), "UTF8",       nullptr};
  const std::unique_ptr<PGconn, Finish> connection{
      PQconnectdbParams(keys.data(), values.data(), 0)};
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    throw std::runtime_error{PQerrorMessage(connection.get())};
  }
  PQsetNoticeReceiver(
      connection.get(), [](void*, const PGresult*) {}, nullptr);
  const std::unique_ptr<PGresult, Clear> result{PQexec(connection.get(), text.c_str())};
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
    throw std::runtime_error{PQresultErrorMessage(result.get())};
  }
  std::string out;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    if (row > 0) out += '\n';
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      if (column > 0) out += '|';
      out.append(PQgetvalue(result.get(), row, column),
                 static_cast<size_t>(PQgetlength(result.get(), row, column)));
    }
  }
  return out;
}

bool PostgresServer::wait_until(const std::string& database, const std::string& text,
                                const std::string& wanted) const {
  const auto deadline = Clock::now() + std::chrono::seconds{10};
  while (sql(database, text) != wanted) {
    if (Clock::now() > deadline) return false;
    poll(nullptr, 0, 5);
  }
  return true;
}

std::string PostgresServer::fingerprint(const std::string& database) const {
  if (sql("postgres", "SELECT 1 FROM pg_database WHERE datname = $dbk$" + database + "$dbk$") !=
      "1") {
    return "absent";
  }
  const std::string outside = " NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ";
  return sql(
      database,
      "SELECT md5(concat_ws('#',"
      // rows of every table, whatever their order in the file
      "(SELECT string_agg(format('%I.%I=%s', schemaname, tablename, md5(coalesce(query_to_xml("
      "format('SELECT coalesce(string_agg(t::text, chr(10) ORDER BY t::text), %L) AS x"
      " FROM %I.%I t', '', schemaname, tablename), true, false, '')::text, ''))), chr(10)"
      " ORDER BY schemaname, tablename) FROM pg_tables WHERE schemaname" +
          outside +
          "),"
          "(SELECT string_agg(format('%I.%I %s %s', table_schema, table_name, column_name, "
          "data_type),"
          " chr(10) ORDER BY table_schema, table_name, ordinal_position)"
          " FROM information_schema.columns WHERE table_schema" +
          outside +
          "),"
          "(SELECT string_agg(format('%I %s', sequencename, last_value), chr(10) ORDER BY "
          "schemaname,"
          " sequencename) FROM pg_sequences),"
          "(SELECT string_agg(indexdef, chr(10) ORDER BY indexdef) FROM pg_indexes WHERE "
          "schemaname" +
          outside +
          "),"
          "(SELECT string_agg(definition, chr(10) ORDER BY viewname) FROM pg_views WHERE "
          "schemaname" +
          outside +
          "),"
          "(SELECT string_agg(pg_get_constraintdef(oid), chr(10) ORDER BY conname, "
          "conrelid::regclass::text)"
          " FROM pg_constraint WHERE connamespace <> 'pg_catalog'::regnamespace"
          " AND connamespace <> 'information_schema'::regnamespace),"
          "(SELECT string_agg(pg_get_triggerdef(oid), chr(10) ORDER BY tgname) FROM pg_trigger"
          " WHERE NOT tgisinternal),"
          "(SELECT string_agg(pg_get_functiondef(p.oid), chr(10) ORDER BY proname) FROM pg_proc p"
          " WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'),"
          "(SELECT string_agg(description, chr(10) ORDER BY description) FROM pg_description"
          " WHERE objoid > 16000),"
          "(SELECT string_agg(md5(lo_get(oid)), chr(10) ORDER BY md5(lo_get(oid)))"
          " FROM pg_largeobject_metadata)))");
}

}  // namespace dbackup::testing
