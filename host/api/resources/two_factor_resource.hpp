#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;
struct TwoFactorPassed;

/// The second factor of signing in.
class TwoFactorResource {
 public:
  TwoFactorResource(Services& services, bool is_https) : services_{services}, is_https_{is_https} {}
  void mount(RouteTable& table);

 private:
  HttpResponse enable(const ApiRequest& request, const Principal& who);
  HttpResponse disable(const ApiRequest& request, const Principal& who);
  HttpResponse new_backup_codes(const ApiRequest& request, const Principal& who);
  HttpResponse totp_uri(const ApiRequest& request, const Principal& who);
  HttpResponse verify_totp(const ApiRequest& request, const Principal& who);
  HttpResponse verify_backup_code(const ApiRequest& request, const Principal& who);
  HttpResponse passed(const TwoFactorPassed& result, const std::string& session_id) const;
  static const Route<TwoFactorResource> kRoutes[];

  Services& services_;
  bool is_https_;
};

}  // namespace dbackup::host
