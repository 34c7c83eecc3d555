#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/secret_string.hpp"

namespace dbackup::host {

/// What a link hands out.
struct DownloadGrant {
  std::string destination_id, path;
  bool unseal = false;
  std::string profile_override;
  std::string issued_by;  ///< for the log
  /// "": a public link, for whoever has it. Else prepared for this principal alone.
  std::string owner = {};
  SecretString identity = {};  ///< given with the request; in memory alone
};

/// Links that work once, for five minutes, in memory only: they end with the process. [any-thread]
class DownloadTokens {
 public:
  static constexpr TimeMs kLifetime = 5 * 60'000;
  static constexpr size_t kMost = 10'000;

  explicit DownloadTokens(const Clock& clock) : clock_{clock} {}

  /// 64 hexadecimal digits. Throws Error{ResourceExhausted, "busy"} when too many are open.
  SecretString issue(DownloadGrant grant);
  /// Looks without using it up. nullopt: unknown, expired or used.
  std::optional<DownloadGrant> look(const std::string& token) const;
  /// Uses it up: exactly one caller gets the grant.
  std::optional<DownloadGrant> claim(const std::string& token);
  /// After a claim whose download could not even begin: it works again until its old end.
  void give_back(const std::string& token);

 private:
  struct Entry {
    DownloadGrant grant;
    TimeMs expires_at = 0;
    bool is_claimed = false;
  };
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>>
      entries_;  // by the token's hash: a dump of memory opens nothing
};

}  // namespace dbackup::host
