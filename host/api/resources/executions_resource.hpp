#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

class ExecutionsResource {
 public:
  explicit ExecutionsResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse get(const ApiRequest& request, const Principal& who);
  HttpResponse cancel(const ApiRequest& request, const Principal& who);
  HttpResponse history(const ApiRequest& request, const Principal& who);
  static const Route<ExecutionsResource> kRoutes[];

  Services& services_;
};

}  // namespace dbackup::host
