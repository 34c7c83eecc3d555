#include "connection.hpp"

#include <errmsg.h>
#include <fcntl.h>
#include <mysqld_error.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <mutex>

namespace dbackup::mysql {
namespace {

constexpr int64_t kConnectMs = 15'000;
constexpr int64_t kCleanupConnectMs = 5'000;
constexpr int64_t kCleanupMs = 60'000;  // dropping a large database takes its time
constexpr int64_t kForever = INT64_MAX;
constexpr int kTickMs = 50;  // how often a wait asks for cancellation

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct FreeResult {
  void operator()(MYSQL_RES* raw) const noexcept { mysql_free_result(raw); }
};

ErrorCode code_of(unsigned number) {
  switch (number) {
    case ER_ACCESS_DENIED_ERROR:
    case ER_ACCESS_DENIED_NO_PASSWORD_ERROR:
      return ErrorCode::Unauthenticated;
    case ER_DBACCESS_DENIED_ERROR:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
    case ER_SPECIFIC_ACCESS_DENIED_ERROR:
    case ER_PROCACCESS_DENIED_ERROR:
    case ER_HOST_NOT_PRIVILEGED:
    case ER_BINLOG_CREATE_ROUTINE_NEED_SUPER:
      return ErrorCode::PermissionDenied;
    case ER_BAD_DB_ERROR:
    case ER_DB_DROP_EXISTS:
    case ER_NO_SUCH_TABLE:
      return ErrorCode::NotFound;
    case ER_DB_CREATE_EXISTS:
      return ErrorCode::AlreadyExists;
    case ER_CON_COUNT_ERROR:
    case ER_SERVER_SHUTDOWN:
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
    case CR_UNKNOWN_HOST:
    case CR_SERVER_GONE_ERROR:
    case CR_SERVER_LOST:
    case CR_SERVER_LOST_EXTENDED:
      return ErrorCode::Unavailable;
    case CR_SSL_CONNECTION_ERROR:
      return ErrorCode::FailedPrecondition;
    case ER_DISK_FULL:
    case ER_RECORD_FILE_FULL:
    case ER_OUT_OF_RESOURCES:
    case ER_OUTOFMEMORY:
      return ErrorCode::ResourceExhausted;
    default:
      return ErrorCode::Aborted;
  }
}

/// libmariadb wants this before the first use from several threads.
void start_library() {
  static std::once_flag once;
  std::call_once(once, [] { mysql_server_init(0, nullptr, nullptr); });
}

}  // namespace

int Connection::wait_for(int events, int64_t deadline_ms) const {
  while (true) {
    if (patience_ == Patience::UntilCancelled) call_.check_cancelled();
    const int64_t left = deadline_ms == kForever ? kTickMs : deadline_ms - now_ms();
    if (left <= 0) throw Error{ErrorCode::Unavailable, "the server did not answer in time"};
    short wanted = 0;
    if ((events & MYSQL_WAIT_READ) != 0) wanted |= POLLIN;
    if ((events & MYSQL_WAIT_WRITE) != 0) wanted |= POLLOUT;
    if ((events & MYSQL_WAIT_EXCEPT) != 0) wanted |= POLLPRI;
    pollfd item{static_cast<int>(mysql_get_socket(raw_.get())), wanted, 0};
    const int ready = poll(&item, 1, static_cast<int>(std::min<int64_t>(left, kTickMs)));
    if (ready < 0 && errno != EINTR) throw system_error(errno, "cannot wait for the server");
    if (ready <= 0) continue;
    int out = 0;
    if ((item.revents & (POLLIN | POLLHUP | POLLERR)) != 0) out |= MYSQL_WAIT_READ;
    if ((item.revents & (POLLOUT | POLLHUP | POLLERR)) != 0) out |= MYSQL_WAIT_WRITE;
    if ((item.revents & POLLPRI) != 0) out |= MYSQL_WAIT_EXCEPT;
    if ((out & events) != 0) return out & events;
  }
}

void Connection::run(const std::function<int()>& start, const std::function<int(int)>& go_on,
                     int64_t deadline_ms) {
  int status = start();
  while (status != 0) {
    int ready = 0;
    try {
      ready = wait_for(status, deadline_ms);
    } catch (...) {
      // The library's half-done call has a stack of its own, which must come to its end: a dead
      // socket ends it at once.
      shutdown(static_cast<int>(mysql_get_socket(raw_.get())), SHUT_RDWR);
      constexpr int kEnough = 1000;
      for (int i = 0; status != 0 && i < kEnough; ++i) status = go_on(status);
      throw;
    }
    status = go_on(ready);
  }
}

void Connection::fail() const {
  const unsigned number = mysql_errno(raw_.get());
  const std::string words = mysql_error(raw_.get());
  throw ServerError{code_of(number), number, words,
                    "error " + std::to_string(number) + " (" + mysql_sqlstate(raw_.get()) + ")"};
}

void Connection::set_options(const Login& login) {
  MYSQL* const raw = raw_.get();
  mysql_options(raw, MYSQL_OPT_NONBLOCK, nullptr);
  mysql_options(raw, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  const unsigned int no = 0;
  mysql_options(raw, MYSQL_OPT_LOCAL_INFILE, &no);
  mysql_optionsv(raw, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "dbackup");
  const unsigned int protocol =
      login.is_socket() && !login.over_ssh ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
  mysql_options(raw, MYSQL_OPT_PROTOCOL, &protocol);
  if (login.is_socket() || login.ssl_mode == SslMode::Disable) return;
  const auto text = [](const std::string& value) {
    return value.empty() ? nullptr : value.c_str();
  };
  mysql_ssl_set(raw, text(login.ssl_key), text(login.ssl_cert), text(login.ssl_root_cert), nullptr,
                nullptr);
  // With the file of an authority the library checks the chain, with this the name as well.
  const my_bool name = login.ssl_mode == SslMode::VerifyFull ? 1 : 0;
  mysql_options(raw, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &name);
}

Connection Connection::open(const Call& call, const Login& login, const std::string& database,
                            Patience patience) {
  start_library();
  if (patience == Patience::UntilCancelled) call.check_cancelled();
  Connection out{call, patience};
  out.raw_.reset(mysql_init(nullptr));
  if (out.raw_ == nullptr) throw std::bad_alloc{};
  std::string host = login.host;
  int port = static_cast<int>(login.port);
  // A socket on another machine is a port here.
  const bool is_socket = login.is_socket() && !login.over_ssh;
  if (!is_socket) {
    out.endpoint_.emplace(reach(call, login.host, login.is_socket() ? 0 : login.port));
    host = out.endpoint_->host();
    port = out.endpoint_->port();
  }
  out.set_options(login);
  const char* name = database.empty() ? nullptr : database.c_str();
  const char* socket = is_socket ? login.host.c_str() : nullptr;
  MYSQL* connected = nullptr;
  out.run(
      [&] {
        return mysql_real_connect_start(
            &connected, out.raw_.get(), is_socket ? nullptr : host.c_str(), login.user.c_str(),
            login.password.c_str(), name, static_cast<unsigned>(port), socket, 0);
      },
      [&](int ready) { return mysql_real_connect_cont(&connected, out.raw_.get(), ready); },
      now_ms() + (patience == Patience::UntilCancelled ? kConnectMs : kCleanupConnectMs));
  if (connected == nullptr) {
    try {
      out.fail();
    } catch (const ServerError& error) {
      // The handshake fails in many ways when the two sides do not agree on encryption.
      throw ServerError{error.code(), error.number(),
                        "cannot connect to \"" + login.host + "\": " + error.what(),
                        error.detail()};
    }
  }
  if (login.must_encrypt() && mysql_get_ssl_cipher(out.raw_.get()) == nullptr) {
    throw Error{ErrorCode::FailedPrecondition,
                "the server \"" + login.host + "\" does not encrypt, which \"sslMode\" asks for"};
  }
  // After the handshake of TLS the library leaves the socket blocking, and would wait in it.
  const int socket_fd = static_cast<int>(mysql_get_socket(out.raw_.get()));
  fcntl(socket_fd, F_SETFL, fcntl(socket_fd, F_GETFL) | O_NONBLOCK);
  out.version_ = ServerVersion::parse(mysql_get_server_info(out.raw_.get()));
  out.session_id_ = mysql_thread_id(out.raw_.get());
  // Servers may be set to begin sessions with autocommit = 0: what we write must be there.
  out.execute("SET SESSION sql_mode = '', autocommit = 1");
  return out;
}

std::vector<Row> Connection::query(std::string_view sql) {
  const int64_t deadline = patience_ == Patience::Cleanup ? now_ms() + kCleanupMs : kForever;
  MYSQL* const raw = raw_.get();
  int failed = 0;
  run([&] { return mysql_real_query_start(&failed, raw, sql.data(), sql.size()); },
      [&](int ready) { return mysql_real_query_cont(&failed, raw, ready); }, deadline);
  if (failed != 0) fail();
  MYSQL_RES* stored = nullptr;
  run([&] { return mysql_store_result_start(&stored, raw); },
      [&](int ready) { return mysql_store_result_cont(&stored, raw, ready); }, deadline);
  const std::unique_ptr<MYSQL_RES, FreeResult> result{stored};
  std::vector<Row> rows;
  if (result == nullptr) {
    if (mysql_errno(raw) != 0) fail();
    return rows;
  }
  const unsigned columns = mysql_num_fields(result.get());
  while (const MYSQL_ROW cells = mysql_fetch_row(result.get())) {
    const unsigned long* const sizes = mysql_fetch_lengths(result.get());
    Row& row = rows.emplace_back();
    for (unsigned i = 0; i < columns; ++i) {
      if (cells[i] == nullptr) {
        row.emplace_back(std::nullopt);
      } else {
        row.emplace_back(std::string{cells[i], sizes[i]});
      }
    }
  }
  return rows;
}

std::string Connection::value(std::string_view sql) {
  const auto rows = query(sql);
  return rows.empty() || rows.front().empty() ? "" : rows.front().front().value_or("");
}

std::string Connection::literal(std::string_view text) const {
  std::string out(text.size() * 2 + 1, '\0');
  out.resize(mysql_real_escape_string(raw_.get(), out.data(), text.data(), text.size()));
  return "'" + out + "'";
}

bool Connection::plain_backslash() const noexcept {
  unsigned int status = 0;
  mariadb_get_infov(raw_.get(), MARIADB_CONNECTION_SERVER_STATUS, &status);
  return (status & SERVER_STATUS_NO_BACKSLASH_ESCAPES) != 0;
}

}  // namespace dbackup::mysql
