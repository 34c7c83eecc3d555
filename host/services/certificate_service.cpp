#include "services/certificate_service.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "control/control_plane.hpp"
#include "crypto/master_key.hpp"
#include "services/audit_log.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kMostBytes = size_t{1} << 20;
/// Browsers refuse server certificates that live longer.
constexpr int kSelfSignedDays = 397;

std::string read_file(const std::filesystem::path& path, const char* setting) {
  const UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) throw_errno(errno, "cannot read " + std::string{setting} + " \"" + path.string() + "\"");
  std::string text;
  std::array<char, 4096> block{};
  ssize_t n = 0;
  while ((n = ::read(fd.get(), block.data(), block.size())) > 0 && text.size() <= kMostBytes) {
    text.append(block.data(), static_cast<size_t>(n));
  }
  if (n < 0) throw_errno(errno, "cannot read \"" + path.string() + "\"");
  return text;
}

/// Beside it, synced, renamed over it: a crash leaves the old pair or the new one, never halves.
void write_file(const std::filesystem::path& path, std::string_view text) {
  const std::string beside = path.string() + ".new";
  {
    const UniqueFd fd{
        ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!fd) throw_errno(errno, "cannot write \"" + beside + "\"");
    while (!text.empty()) {
      const ssize_t n = ::write(fd.get(), text.data(), text.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw_errno(errno, "cannot write \"" + beside + "\"");
      text.remove_prefix(static_cast<size_t>(n));
    }
    if (::fsync(fd.get()) != 0) throw_errno(errno, "cannot write \"" + beside + "\"");
  }
  if (std::rename(beside.c_str(), path.c_str()) != 0)
    throw_errno(errno, "cannot replace \"" + path.string() + "\"");
  const UniqueFd folder{::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!folder || ::fsync(folder.get()) != 0)
    throw_errno(errno, "cannot sync \"" + path.parent_path().string() + "\"");
}

/// "https://backup.example.net:8443/x" → "backup.example.net"
std::string host_of(const std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return "";
  std::string host = url.substr(scheme + 3);
  host = host.substr(0, host.find('/'));
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

bool is_host_name(const std::string& text) {
  return !text.empty() && text.find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789-.:_") == std::string::npos;
}

}  // namespace

std::filesystem::path CertificateService::own_file() const {
  return private_folder(control_.context().data_dir) / "tls.pem";
}

bool CertificateService::is_configured() const {
  return !control_.context().live.now()->text("tls.certificate_file").empty();
}

bool CertificateService::is_enabled() const {
  return control_.context().live.now()->flag("tls.enabled");
}

std::optional<CertificatePair> CertificateService::read() const {
  const auto settings = control_.context().live.now();
  const std::string certificate = settings->text("tls.certificate_file");
  const std::string key = settings->text("tls.key_file");
  if (certificate.empty() != key.empty()) {
    throw Error(ErrorCode::InvalidArgument, "tls.certificate_file and tls.key_file go together");
  }
  if (!certificate.empty()) {
    return CertificatePair{.certificate_pem = read_file(certificate, "tls.certificate_file"),
                           .key_pem = SecretString{read_file(key, "tls.key_file")}};
  }
  std::error_code ignored;
  if (!std::filesystem::exists(own_file(), ignored)) return std::nullopt;
  // Certificates and key in one file, so that they are replaced together.
  std::string both = read_file(own_file(), "the certificate");
  return CertificatePair{.certificate_pem = both, .key_pem = SecretString{std::move(both)}};
}

std::optional<CertificateInfo> CertificateService::info() const {
  const std::lock_guard lock{mutex_};
  const auto pair = read();
  if (!pair) return std::nullopt;
  return inspect_certificate(pair->certificate_pem);
}

CertificatePair CertificateService::make() const {
  const auto settings = control_.context().live.now();
  std::vector<std::string> names;
  const std::string address = settings->text("server.address");
  const bool is_any = address == "0.0.0.0" || address == "::" || address == "[::]";
  std::array<char, HOST_NAME_MAX + 1> own{};
  if (::gethostname(own.data(), own.size() - 1) != 0) own[0] = '\0';
  for (const std::string& name :
       {host_of(settings->text("server.public_url")), std::string{own.data()},
        std::string{"localhost"}, std::string{"127.0.0.1"}, std::string{"::1"},
        is_any ? std::string{} : address}) {
    if (is_host_name(name) && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  }
  return make_self_signed(names, control_.context().clock.now_ms(), kSelfSignedDays);
}

void CertificateService::put_in_force(const CertificatePair& pair) {
  if (listener_) listener_(pair);
}

CertificatePair CertificateService::ensure() {
  const std::lock_guard lock{mutex_};
  if (auto pair = read()) {
    // An expired certificate is served all the same: clients say so, and a server that does not
    // start cannot be given a new one.
    check_certificate_pair(*pair, 0);
    return std::move(*pair);
  }
  CertificatePair made = make();
  write_file(own_file(), made.certificate_pem + std::string{made.key_pem.reveal()});
  return made;
}

void CertificateService::refuse_configured() const {
  if (!is_configured()) return;
  throw Error(ErrorCode::FailedPrecondition,
              "the certificate is set by tls.certificate_file in the configuration and can only be "
              "replaced there");
}

CertificateInfo CertificateService::replace(const Principal& who, const CertificatePair& pair) {
  refuse_configured();
  check_certificate_pair(pair, control_.context().clock.now_ms());
  const CertificateInfo info = inspect_certificate(pair.certificate_pem);
  const std::lock_guard lock{mutex_};
  const auto before = read();
  put_in_force(pair);  // throws when it cannot be served: then nothing is stored either
  try {
    write_file(own_file(), pair.certificate_pem + "\n" + std::string{pair.key_pem.reveal()});
  } catch (...) {
    if (before) put_in_force(*before);
    throw;
  }
  audit_.write(who, AuditAction::Update, AuditResource::System, "certificate",
               {{"subject", info.subject}, {"fingerprint", info.fingerprint}});
  return info;
}

CertificateInfo CertificateService::regenerate(const Principal& who) {
  refuse_configured();
  const CertificatePair made = make();
  return replace(who, made);
}

void CertificateService::reload() {
  const std::lock_guard lock{mutex_};
  const auto pair = read();
  if (!pair) return;
  check_certificate_pair(*pair, 0);
  put_in_force(*pair);
}

void CertificateService::on_change(std::function<void(const CertificatePair&)> listener) {
  const std::lock_guard lock{mutex_};
  listener_ = std::move(listener);
}

}  // namespace dbackup::host
