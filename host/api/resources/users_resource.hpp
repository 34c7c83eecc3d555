#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// The care of users by those who may.
class UsersResource {
 public:
  explicit UsersResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse list(const ApiRequest& request, const Principal& who);
  HttpResponse create(const ApiRequest& request, const Principal& who);
  HttpResponse get(const ApiRequest& request, const Principal& who);
  HttpResponse update(const ApiRequest& request, const Principal& who);
  HttpResponse remove(const ApiRequest& request, const Principal& who);
  HttpResponse bulk(const ApiRequest& request, const Principal& who);
  HttpResponse set_group(const ApiRequest& request, const Principal& who);
  HttpResponse reset_two_factor(const ApiRequest& request, const Principal& who);
  HttpResponse set_passkey_two_factor(const ApiRequest& request, const Principal& who);
  static const Route<UsersResource> kRoutes[];

  Services& services_;
};

}  // namespace dbackup::host
