#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// The server's own TLS certificate.
class CertificateResource {
 public:
  explicit CertificateResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse get(const ApiRequest& request, const Principal& who);
  HttpResponse replace(const ApiRequest& request, const Principal& who);
  HttpResponse regenerate(const ApiRequest& request, const Principal& who);
  static const Route<CertificateResource> kRoutes[];

  Services& services_;
};

}  // namespace dbackup::host
