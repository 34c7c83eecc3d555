#include "tests/support/postgres_server.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <chrono>
#include <fstream>
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

}  // namespace

bool PostgresServer::installed() { return fs::exists(programs() / "postgres"); }

PostgresServer::PostgresServer(const std::vector<std::string>& settings) {
  const std::string data = (process_.folder() / "data").string();
  const std::string password_file = process_.write("password", password_ + "\n");
  process_.run({(programs() / "initdb").string(), "-D", data, "-U", user_, "--no-sync",
                "--no-instructions", "--encoding=UTF8", "--locale=C.UTF-8",
                "--auth-host=scram-sha-256", "--auth-local=trust", "--wal-segsize=4",
                "--pwfile=" + password_file});
  std::ofstream{data + "/postgresql.conf", std::ios::app} << [&] {
    std::string text =
        "fsync=off\nsynchronous_commit=off\nfull_page_writes=off\nshared_buffers=32MB\n"
        "max_connections=40\nautovacuum=off\nlog_min_messages=fatal\n"
        "listen_addresses='127.0.0.1'\nunix_socket_directories='" +
        socket_folder() + "'\n";
    for (const auto& line : settings) text += line + "\n";
    return text;
  }();
  constexpr int kAttempts = 5;  // the free port may be taken before the server has it
  for (int i = 0; i < kAttempts; ++i) {
    port_ = free_port();
    const std::string where = "host='" + socket_folder() + "' port=" + std::to_string(port_) +
                              " user=postgres dbname=postgres";
    if (process_.start({(programs() / "postgres").string(), "-D", data, "-p", std::to_string(port_)},
                       [&] { return PQping(where.c_str()) == PQPING_OK; })) {
      return;
    }
  }
  throw std::runtime_error{"the server did not start: " + process_.log_tail()};
}

std::string PostgresServer::sql(const std::string& database, const std::string& text) const {
  const std::string port = std::to_string(port_);
  const std::string folder = socket_folder();
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
