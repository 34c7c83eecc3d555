#include "services/download_tokens.hpp"

#include "base/error.hpp"
#include "crypto/token.hpp"

namespace dbackup::host {

SecretString DownloadTokens::issue(DownloadGrant grant) {
  SecretString token = random_token();
  const TimeMs now = clock_.now_ms();
  const std::lock_guard lock{mutex_};
  std::erase_if(entries_, [now](const auto& entry) { return entry.second.expires_at <= now; });
  if (entries_.size() >= kMost) {
    throw Error(ErrorCode::ResourceExhausted, "too many download links are open", {}, "busy");
  }
  entries_[hash_token(token.reveal())] = {.grant = std::move(grant), .expires_at = now + kLifetime};
  return token;
}

std::optional<DownloadGrant> DownloadTokens::look(const std::string& token) const {
  const std::string hash = hash_token(token);
  const std::lock_guard lock{mutex_};
  const auto found = entries_.find(hash);
  if (found == entries_.end() || found->second.is_claimed) return std::nullopt;
  if (found->second.expires_at <= clock_.now_ms()) return std::nullopt;
  return found->second.grant;
}

std::optional<DownloadGrant> DownloadTokens::claim(const std::string& token) {
  const std::string hash = hash_token(token);
  const std::lock_guard lock{mutex_};
  const auto found = entries_.find(hash);
  if (found == entries_.end() || found->second.is_claimed) return std::nullopt;
  if (found->second.expires_at <= clock_.now_ms()) return std::nullopt;
  found->second.is_claimed = true;
  return found->second.grant;
}

void DownloadTokens::give_back(const std::string& token) {
  const std::string hash = hash_token(token);
  const std::lock_guard lock{mutex_};
  const auto found = entries_.find(hash);
  if (found != entries_.end()) found->second.is_claimed = false;
}

}  // namespace dbackup::host
