#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <dbackup/call.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dbackup::plugins {

/// One transfer at a time by libcurl, over any of its protocols, in streams. Connections stay open
/// between the transfers of one object and are used again. One thread at a time.
///
/// Set up for every transfer: no redirect is followed, no proxy of the environment used, no signal
/// raised, TLS 1.2 or later with the system's roots, no metadata service dialled (see
/// url_guard.hpp). A connection has 10 s; a transfer may take for ever, but not stand still for
/// longer than stall().
class CurlHandle {
 public:
  /// Throws to end the transfer; its exception passes through perform(). Asked ten times a second.
  using Check = std::function<void()>;
  using Take = std::function<void(std::span<const std::byte>)>;
  /// Fills the buffer; the number of bytes, 0 at the end.
  using Give = std::function<size_t(std::span<std::byte>)>;

  CurlHandle();
  ~CurlHandle();
  CurlHandle(const CurlHandle&) = delete;
  CurlHandle& operator=(const CurlHandle&) = delete;

  /// Forgets all options and callbacks of the last transfer; keeps the connections.
  void reset();

  template <class Value>
  void set(CURLoption option, Value value) {
    check_option(option, curl_easy_setopt(easy_.get(), option, value));
  }
  void url(const std::string& url) { set(CURLOPT_URL, url.c_str()); }
  /// "http,https", "ftp,ftps": others are refused.
  void protocols(const char* names) { set(CURLOPT_PROTOCOLS_STR, names); }
  /// Lines "Name: value", "Name;" (empty) or "Name:" (not sent). Error{InvalidArgument} for one
  /// with a control character.
  void headers(const std::vector<std::string>& lines);
  /// A PEM file with the only roots that are trusted; "" the system's.
  void trust(const std::string& ca_file);
  /// How long a transfer may stand still; time that the callbacks below take is not counted.
  void stall(std::chrono::milliseconds limit) { stall_ = limit; }

  /// What comes; what goes; lines of the head as they are. Exceptions end the transfer and pass
  /// through perform(). Not to be set beside the options of libcurl they stand for.
  void on_body(Take take);
  void on_read(Give give);
  void on_header(std::function<void(std::string_view)> line);

  /// Runs the transfer to its end. Whatever status the server gave is a success here. Throws Error
  /// of curl_error() with "`what`: reason", DeadlineExceeded when it stood still.
  void perform(const std::string& what, const Check& check);
  void perform(const std::string& what, const Call& call) {
    perform(what, [&] { call.check_cancelled(); });
  }
  /// The same, but gives back libcurl's code; an exception of a callback or a stall still passes.
  CURLcode try_perform(const Check& check);
  /// The error of the last transfer, which ended with `code`.
  Error error(const std::string& what, CURLcode code) const;

  /// Of the last answer: HTTP status or reply code; 0 when there was none.
  long status() const;
  CURL* get() const noexcept { return easy_.get(); }

 private:
  template <auto Free>
  struct Deleter {
    void operator()(auto* what) const noexcept { Free(what); }
  };

  static void check_option(CURLoption option, CURLcode code);
  static size_t body_callback(char* data, size_t one, size_t size, void* self) noexcept;
  static size_t read_callback(char* data, size_t one, size_t size, void* self) noexcept;
  static size_t header_callback(char* data, size_t one, size_t size, void* self) noexcept;
  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept;
  curl_off_t moved() const;

  std::unique_ptr<CURLM, Deleter<&curl_multi_cleanup>> multi_;
  std::unique_ptr<CURL, Deleter<&curl_easy_cleanup>> easy_;
  std::unique_ptr<curl_slist, Deleter<&curl_slist_free_all>> headers_;
  std::array<char, CURL_ERROR_SIZE> words_{};
  std::chrono::milliseconds stall_{};
  Take take_;
  Give give_;
  std::function<void(std::string_view)> line_;
  std::exception_ptr thrown_;
  bool refused_ = false;
};

/// The error of a transfer that ended with `code`: "`what`: reason". Unavailable where trying again
/// may help (no connection, broken off), Unauthenticated, PermissionDenied, NotFound,
/// ResourceExhausted, FailedPrecondition (TLS) and InvalidArgument where the code says so, else
/// Aborted. `words` is CURLOPT_ERRORBUFFER; it does not repeat the URL's password.
Error curl_error(const std::string& what, CURLcode code, const char* words = "");

}  // namespace dbackup::plugins
