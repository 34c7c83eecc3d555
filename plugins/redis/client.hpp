#pragma once

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "stream.hpp"

namespace dbackup::redis {

/// One answer of the server (RESP2).
struct Reply {
  enum class Kind { Status, Error, Integer, Bulk, Nil, Array };

  Kind kind = Kind::Nil;
  std::string text;  ///< of Status, Error and Bulk
  int64_t integer = 0;
  std::vector<Reply> items;

  bool is_error() const noexcept { return kind == Kind::Error; }
  bool is_nil() const noexcept { return kind == Kind::Nil; }
  /// Does the error begin with this word ("NOPERM")?
  bool is_error(std::string_view word) const noexcept {
    return is_error() && text.starts_with(word);
  }
  bool is_unknown_command() const noexcept { return is_error("ERR unknown command"); }
};

/// The error of an error reply: the server's words with the code that fits. `what`: "cannot …".
Error error_of(const Reply& reply, const std::string& what);

/// A client of one server: commands out, answers in, in order; bounded in memory. Not thread-safe;
/// `call` outlives it.
class Client {
 public:
  /// Connects and logs in; an empty login sends nothing. Throws Error: Unavailable,
  /// Unauthenticated, PermissionDenied, FailedPrecondition (TLS), Cancelled.
  static Client open(const Call& call, const Address& address, const TlsSettings& tls,
                     const Login& login);

  /// One command and its answer, whatever it is.
  Reply ask(std::initializer_list<std::string_view> words);
  /// As ask(), but an error reply is thrown as error_of("cannot run <first word>").
  Reply demand(std::initializer_list<std::string_view> words);

  /// Appends a command to what goes out; sent when that is 256 KiB, or by flush().
  void queue(std::initializer_list<std::string_view> words);
  /// The same whose last word is two pieces long, which are not copied when they are large.
  void queue(std::initializer_list<std::string_view> words, std::string_view last,
             std::string_view last_end, std::initializer_list<std::string_view> options);
  void flush();
  /// The next answer. Throws Error{DataLoss} for what is no RESP, {Unavailable} when the server
  /// ends the connection.
  Reply receive();

  /// The next line without its end ("\r\n" or "\n"), and bytes as they come: for what is no RESP.
  std::string receive_line();
  size_t receive_some(std::span<char> buffer);

  /// How long an answer may take from now on.
  void be_patient_for(int64_t idle_ms) noexcept { idle_ms_ = idle_ms; }
  const std::string& where() const noexcept { return stream_.where(); }

 private:
  explicit Client(Stream stream) : stream_{std::move(stream)} {}
  void log_in(const Login& login);
  void begin_word(size_t size);
  void refill();
  Reply receive(int depth, size_t& budget);
  std::string receive_bytes(size_t size);

  Stream stream_;
  std::string out_;
  std::string in_;
  size_t at_ = 0;  // in in_: what was taken already
  int64_t idle_ms_ = kIdleMs;
};

/// The value of a line "name:value" in the text of INFO, or "".
std::string info_field(std::string_view info, std::string_view name);

}  // namespace dbackup::redis
