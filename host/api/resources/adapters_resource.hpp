#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// Sources, destinations and channels.
class AdaptersResource {
 public:
  explicit AdaptersResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse list(const ApiRequest& request, const Principal& who);
  HttpResponse get(const ApiRequest& request, const Principal& who);
  HttpResponse create(const ApiRequest& request, const Principal& who);
  HttpResponse update(const ApiRequest& request, const Principal& who);
  HttpResponse remove(const ApiRequest& request, const Principal& who);
  HttpResponse clone(const ApiRequest& request, const Principal& who);
  HttpResponse bulk(const ApiRequest& request, const Principal& who);
  HttpResponse types(const ApiRequest& request, const Principal& who);
  static const Route<AdaptersResource> kRoutes[];

  Services& services_;
};

}  // namespace dbackup::host
