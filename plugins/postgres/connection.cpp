#include "connection.hpp"

#include <arpa/inet.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <chrono>

namespace dbackup::postgres {
namespace {

constexpr int64_t kConnectMs = 15'000;
constexpr int64_t kCleanupMs = 5'000;
constexpr int64_t kForever = INT64_MAX;
constexpr int kTickMs = 50;  // how often a wait asks for cancellation

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct ClearResult {
  void operator()(PGresult* raw) const noexcept { PQclear(raw); }
};
using Result = std::unique_ptr<PGresult, ClearResult>;

struct FreeText {
  void operator()(char* raw) const noexcept { PQfreemem(raw); }
};

ErrorCode code_of(std::string_view state) {
  if (state.starts_with("28")) return ErrorCode::Unauthenticated;
  if (state == "3D000") return ErrorCode::NotFound;
  if (state == "42P04") return ErrorCode::AlreadyExists;
  if (state == "42501") return ErrorCode::PermissionDenied;
  if (state == "42883") return ErrorCode::InvalidArgument;  // a type without that operation
  if (state.starts_with("08") || state.starts_with("57P") || state == "53300") {
    return ErrorCode::Unavailable;
  }
  if (state.starts_with("53")) return ErrorCode::ResourceExhausted;
  if (state.starts_with("55")) return ErrorCode::FailedPrecondition;
  return ErrorCode::Aborted;
}

bool is_state(std::string_view text) {
  return text.size() == 5 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

/// A refused connection is told by text alone. The text was asked for with its SQLSTATE in it
/// ("…: FATAL:  28P01: password …"), which no translation of the server's messages changes.
Error connect_error(const char* raw, const std::string& database) {
  std::string shown;
  std::string state;
  std::string_view rest{raw};
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    std::string line{rest.substr(0, end)};
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    for (size_t at = line.find(":  "); at != std::string::npos; at = line.find(":  ", at + 1)) {
      if (at + 10 > line.size() || !is_state(std::string_view{line}.substr(at + 3, 5))) continue;
      if (line.compare(at + 8, 2, ": ") != 0) continue;
      state = line.substr(at + 3, 5);
      const size_t severity = line.rfind(' ', at - 1);  // "failed: FATAL" → "failed: "
      const size_t from = severity == std::string::npos ? 0 : severity + 1;
      line.erase(from, at + 10 - from);
      break;
    }
    // "LOCATION:  auth_failed, auth.c:326": the server's source file helps nobody here.
    const bool location = line.find(".c:") != std::string::npos && !line.starts_with("connection");
    if (line.empty() || location) continue;
    shown += (shown.empty() ? "" : "; ") + line;
  }
  const ErrorCode code = state.empty() ? ErrorCode::Unavailable : code_of(state);
  return Error{code, "cannot connect to database \"" + database + "\": " + shown};
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> buffer{};
  return inet_pton(AF_INET, host.c_str(), buffer.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), buffer.data()) == 1;
}

void ignore_notice(void*, const PGresult*) {}

void stop_statement(PGconn* raw) noexcept {
  PGcancel* handle = PQgetCancel(raw);
  if (handle == nullptr) return;
  std::array<char, 256> reason{};
  PQcancel(handle, reason.data(), static_cast<int>(reason.size()));  // failing, we just wait longer
  PQfreeCancel(handle);
}

}  // namespace

void Connection::wait_for(short events, int64_t deadline_ms, Patience patience) const {
  while (true) {
    if (patience == Patience::UntilCancelled) call_.check_cancelled();
    const int64_t left = deadline_ms == kForever ? kTickMs : deadline_ms - now_ms();
    if (left <= 0) throw Error{ErrorCode::Unavailable, "the server did not answer in time"};
    pollfd item{PQsocket(raw_.get()), events, 0};
    const int ready = poll(&item, 1, static_cast<int>(std::min<int64_t>(left, kTickMs)));
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) throw system_error(errno, "cannot wait for the server");
  }
}

Connection Connection::open(const Call& call, const Login& login, const std::string& database,
                            Patience patience) {
  if (patience == Patience::UntilCancelled) call.check_cancelled();
  Connection out{call, patience};
  std::string host = login.host;
  std::string address;
  std::string port = std::to_string(login.port);
  // A socket's folder too: it may be one of another machine.
  out.endpoint_.emplace(reach(call, login.host, login.port));
  port = std::to_string(out.endpoint_->port());
  // The name stays what certificates are checked against; only the way there may differ.
  if (is_address(out.endpoint_->host())) {
    address = out.endpoint_->host();
  } else {
    host = out.endpoint_->host();
  }
  std::vector<const char*> keys;
  std::vector<const char*> values;
  const auto set = [&](const char* key, const std::string& value) {
    if (value.empty()) return;
    keys.push_back(key);
    values.push_back(value.c_str());
  };
  const std::string application = "dbackup";
  const std::string encoding = "UTF8";
  set("host", host);
  set("hostaddr", address);
  set("port", port);
  set("user", login.user);
  set("password", login.password);
  set("dbname", database);
  set("sslmode", login.ssl_mode);
  set("sslrootcert", login.ssl_root_cert);
  set("application_name", application);
  set("client_encoding", encoding);
  keys.push_back(nullptr);
  values.push_back(nullptr);
  out.raw_.reset(PQconnectStartParams(keys.data(), values.data(), /*expand_dbname=*/0));
  if (out.raw_ == nullptr) throw std::bad_alloc{};
  out.finish_connecting(database);
  return out;
}

void Connection::finish_connecting(const std::string& database) {
  PQsetErrorVerbosity(raw_.get(), PQERRORS_VERBOSE);
  PQsetNoticeReceiver(raw_.get(), &ignore_notice, nullptr);
  if (PQstatus(raw_.get()) == CONNECTION_BAD) {
    throw connect_error(PQerrorMessage(raw_.get()), database);
  }
  const int64_t deadline =
      now_ms() + (patience_ == Patience::UntilCancelled ? kConnectMs : kCleanupMs);
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    wait_for(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline, patience_);
    state = PQconnectPoll(raw_.get());
    if (state == PGRES_POLLING_FAILED) {
      throw connect_error(PQerrorMessage(raw_.get()), database);
    }
  }
  PQsetErrorVerbosity(raw_.get(), PQERRORS_DEFAULT);
}

Connection Connection::open_any(const Call& call, const Login& login,
                                const std::vector<std::string>& configured, Patience patience) {
  std::vector<std::string> names{"postgres", "template1"};
  names.insert(names.end(), configured.begin(), configured.end());
  std::optional<Error> first;
  for (const std::string& name : names) {
    try {
      return open(call, login, name, patience);
    } catch (const Error& error) {
      const bool may_differ =
          error.code() == ErrorCode::NotFound || error.code() == ErrorCode::PermissionDenied ||
          error.code() == ErrorCode::FailedPrecondition ||
          error.code() == ErrorCode::Unauthenticated;  // pg_hba.conf, by database
      if (!may_differ) throw;
      if (!first || first->code() == ErrorCode::NotFound) first = error;
    }
  }
  throw *first;
}

std::vector<Row> Connection::query(const std::string& sql,
                                   const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const std::string& value : parameters) values.push_back(value.c_str());
  if (PQsendQueryParams(raw_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, 0) == 0) {
    throw Error{ErrorCode::Unavailable, "the server has ended the connection",
                PQerrorMessage(raw_.get())};
  }
  int64_t deadline = patience_ == Patience::Cleanup ? now_ms() + kCleanupMs : kForever;
  bool stopping = false;
  std::vector<Row> rows;
  std::optional<Error> failure;
  while (true) {
    while (PQisBusy(raw_.get()) != 0) {
      try {
        wait_for(POLLIN, deadline, stopping ? Patience::Cleanup : patience_);
      } catch (const Error& error) {
        if (stopping || error.code() != ErrorCode::Cancelled) throw;
        // The server is asked to stop, and its answer awaited: what it has completed nevertheless
        // is then known to the caller, who can undo it.
        stopping = true;
        deadline = now_ms() + kCleanupMs;
        stop_statement(raw_.get());
        continue;
      }
      if (PQconsumeInput(raw_.get()) == 0) {
        throw Error{ErrorCode::Unavailable, "the connection to the server was lost",
                    PQerrorMessage(raw_.get())};
      }
    }
    const Result result{PQgetResult(raw_.get())};
    if (result == nullptr) break;
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
      const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
      const char* text = PQresultErrorField(result.get(), PG_DIAG_MESSAGE_PRIMARY);
      failure = Error{state == nullptr ? ErrorCode::Unavailable : code_of(state),
                      text == nullptr ? "the connection to the server was lost" : text,
                      PQresultErrorMessage(result.get())};
      continue;
    }
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      Row& cells = rows.emplace_back();
      for (int column = 0; column < PQnfields(result.get()); ++column) {
        if (PQgetisnull(result.get(), row, column) != 0) {
          cells.emplace_back(std::nullopt);
        } else {
          cells.emplace_back(
              std::string{PQgetvalue(result.get(), row, column),
                          static_cast<size_t>(PQgetlength(result.get(), row, column))});
        }
      }
    }
  }
  if (failure && stopping) throw Error{ErrorCode::Cancelled, "cancelled"};
  if (failure) throw *failure;
  return rows;
}

std::string Connection::identifier(const std::string& name) const {
  const std::unique_ptr<char, FreeText> quoted{
      PQescapeIdentifier(raw_.get(), name.data(), name.size())};
  if (quoted == nullptr) {
    throw Error{ErrorCode::InvalidArgument, "\"" + name + "\" is not a name the server can hold"};
  }
  return quoted.get();
}

std::string Connection::literal(const std::string& text) const {
  const std::unique_ptr<char, FreeText> quoted{
      PQescapeLiteral(raw_.get(), text.data(), text.size())};
  if (quoted == nullptr) {
    throw Error{ErrorCode::InvalidArgument, "the server cannot hold the text \"" + text + "\""};
  }
  return quoted.get();
}

std::string Connection::server_version() const {
  const char* text = PQparameterStatus(raw_.get(), "server_version");
  const std::string version = text == nullptr ? "" : text;  // "15.20 (Debian 15.20-0+deb12u1)"
  return version.substr(0, version.find(' '));
}

}  // namespace dbackup::postgres
