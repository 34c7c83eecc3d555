#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// /api/audit: who did what.
class AuditLogResource {
 public:
  explicit AuditLogResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse list(const ApiRequest& request, const Principal& who);
  HttpResponse stats(const ApiRequest& request, const Principal& who);
  static const Route<AuditLogResource> kRoutes[];

  Services& services_;
};

}  // namespace dbackup::host
