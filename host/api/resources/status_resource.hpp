#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// The server about itself and its caller: health, permissions, user.
class StatusResource {
 public:
  explicit StatusResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse health(const ApiRequest& request, const Principal& who);
  HttpResponse permissions(const ApiRequest& request, const Principal& who);
  HttpResponse limits(const ApiRequest& request, const Principal& who);
  static const Route<StatusResource> kRoutes[];

  Services& services_;
};

}  // namespace dbackup::host
