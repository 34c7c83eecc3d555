#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// /api/settings/system-tasks.
class SystemTasksResource {
 public:
  explicit SystemTasksResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse list(const ApiRequest& request, const Principal& who);
  HttpResponse change(const ApiRequest& request, const Principal& who);
  HttpResponse run(const ApiRequest& request, const Principal& who);
  static const Route<SystemTasksResource> kRoutes[];

  Services& services_;
};

}  // namespace dbackup::host
