#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// Questions to adapters, stored or not.
class AdapterProbesResource {
 public:
  explicit AdapterProbesResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse databases(const ApiRequest& request, const Principal& who);
  HttpResponse browse(const ApiRequest& request, const Principal& who);
  HttpResponse test_ssh(const ApiRequest& request, const Principal& who);
  HttpResponse test(const ApiRequest& request, const Principal& who);
  HttpResponse access_check(const ApiRequest& request, const Principal& who);
  HttpResponse check_snapshot(const ApiRequest& request, const Principal& who);

  static const Route<AdapterProbesResource> kRoutes[];
  Services& services_;
};

}  // namespace dbackup::host
