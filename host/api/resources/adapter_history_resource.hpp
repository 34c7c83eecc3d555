#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// What was seen of adapters over time.
class AdapterHistoryResource {
 public:
  explicit AdapterHistoryResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse health(const ApiRequest& request, const Principal& who);
  HttpResponse versions(const ApiRequest& request, const Principal& who);
  HttpResponse storage(const ApiRequest& request, const Principal& who);

  static const Route<AdapterHistoryResource> kRoutes[];
  Services& services_;
};

}  // namespace dbackup::host
