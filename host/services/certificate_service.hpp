#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "crypto/certificate.hpp"
#include "model/principal.hpp"

namespace dbackup::host {

class AuditLog;
class ControlPlane;

/// The certificate of the server's own TLS: configured files, an uploaded pair, or a self-signed
/// one made when first needed. Uploaded and made pairs lie in `<data>/private/tls.pem`.
/// [any-thread]
class CertificateService {
 public:
  CertificateService(ControlPlane& control, AuditLog& audit) : control_{control}, audit_{audit} {}

  /// nullopt: there is none yet.
  std::optional<CertificateInfo> info() const;
  bool is_configured() const;  ///< by file or environment: the API may not replace it
  bool is_enabled() const;     ///< the server speaks TLS

  /// The pair to serve; makes a self-signed one when there is none. Throws Error when a configured
  /// file cannot be read or used.
  CertificatePair ensure();
  /// Throws Error{InvalidArgument} naming the field, {FailedPrecondition} when files are
  /// configured.
  CertificateInfo replace(const Principal& who, const CertificatePair& pair);
  CertificateInfo regenerate(const Principal& who);
  /// Reads the files again, as after a renewal. What cannot be used changes nothing, and is thrown.
  void reload();

  /// `listener` is told of every pair that comes into force; it must outlive the service's use.
  void on_change(std::function<void(const CertificatePair&)> listener);

 private:
  std::filesystem::path own_file() const;
  std::optional<CertificatePair> read() const;
  CertificatePair make() const;
  void put_in_force(const CertificatePair& pair);
  void refuse_configured() const;

  ControlPlane& control_;
  AuditLog& audit_;
  mutable std::mutex mutex_;
  std::function<void(const CertificatePair&)> listener_;
};

}  // namespace dbackup::host
