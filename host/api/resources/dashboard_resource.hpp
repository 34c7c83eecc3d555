#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// Counts for people, and the log of notifications.
class DashboardResource {
 public:
  explicit DashboardResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse calendar(const ApiRequest& request, const Principal& who);
  HttpResponse years(const ApiRequest& request, const Principal& who);
  HttpResponse stats(const ApiRequest& request, const Principal& who);
  HttpResponse activity(const ApiRequest& request, const Principal& who);
  HttpResponse statuses(const ApiRequest& request, const Principal& who);
  HttpResponse storage(const ApiRequest& request, const Principal& who);
  HttpResponse latest(const ApiRequest& request, const Principal& who);
  HttpResponse notifications(const ApiRequest& request, const Principal& who);
  HttpResponse notification(const ApiRequest& request, const Principal& who);
  static const Route<DashboardResource> kRoutes[];

  Services& services_;
};

}  // namespace dbackup::host
