#pragma once

#include <common/curl_handle.hpp>
#include <common/patience.hpp>
#include <common/remote_storage.hpp>

namespace dbackup::ftp {

enum class Tls { None, Explicit, Implicit };

struct Login {
  std::string host;
  int64_t port = 21;
  std::string username;
  std::string password;
  Tls tls = Tls::None;
  bool tls_verify = true;
  std::string ca_file;

  /// "host:21", for messages.
  std::string server() const;
};

/// A server's reply (RFC 959, section 4.2): the code and all its lines.
struct FtpReply {
  int code = 0;  ///< 0: none came
  std::string text;

  bool ok() const noexcept { return code >= 200 && code < 300; }
};

/// What outlives an operation: the connection, which the next one uses again, and what the server
/// said about itself.
struct Link {
  plugins::CurlHandle curl;
  bool known = false;        ///< are the following?
  std::string home = "/";    ///< the folder the login begins in
  bool lists_facts = false;  ///< MLSD and MLST
  bool is_unix = true;       ///< ls options mean something to its LIST
  bool asks_utf8 = false;    ///< "OPTS UTF8 ON" means something to it
};

struct FreeCommands {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using CommandList = std::unique_ptr<curl_slist, FreeCommands>;

/// One login on an FTP server, by libcurl. Paths are absolute, so the folder the connection happens
/// to stand in never matters. Not for several threads.
class Session {
 public:
  /// Logs in. Throws Error{Unavailable}, {Unauthenticated}, {FailedPrecondition} (TLS).
  Session(const Call& call, const Login& login, Link& link);

  const Call& call() const noexcept { return call_; }
  /// The folder the login begins in.
  const std::string& home() const noexcept { return link_.home; }
  bool lists_facts() const noexcept { return link_.lists_facts; }
  bool is_unix() const noexcept { return link_.is_unix; }

  /// Sends one command and takes its reply, whatever it says. Throws only when none came. After a
  /// cancellation it still works for 300 ms.
  FtpReply command(const std::string& line);
  /// SIZE, which is defined for binary mode alone.
  FtpReply size(const std::string& path);
  /// RNFR and RNTO; the reply to the one that failed, or to the second.
  FtpReply rename(const std::string& from, const std::string& to);

  /// Calls `line` for each line of a folder's MLSD or LIST. False: the server does not enter it.
  bool list(const std::string& folder, const std::function<void(std::string_view)>& line);
  /// STOR; the number of bytes sent.
  uint64_t store(const std::string& path, Reader& in, const std::string& shown);
  /// RETR of a part, cut where it ends; the number of bytes given to `out`.
  uint64_t retrieve(const std::string& path, const plugins::RemotePart& part, Writer& out,
                    const std::string& shown);

  /// The error for a refusal: "<what>: <the server's words>".
  static Error refusal(const std::string& what, const FtpReply& reply);

 private:
  void prepare(const std::string& path);
  void learn_features();
  void use_utf8();
  FtpReply run(const std::vector<std::string>& commands);
  void take_line(std::string_view line);
  Error failure(const std::string& what, CURLcode code) const;

  const Call call_;
  const Login& login_;
  Link& link_;
  plugins::CurlHandle& curl_;
  plugins::Patience patience_;
  FtpReply reply_;          ///< the last whole one
  std::string unfinished_;  ///< lines of the one that is coming
  CommandList utf8_;        ///< lives as long as a transfer that uses it
};

}  // namespace dbackup::ftp
