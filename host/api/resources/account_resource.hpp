#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// What callers ask and change about themselves.
class AccountResource {
 public:
  explicit AccountResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse me(const ApiRequest& request, const Principal& who);
  HttpResponse change_password(const ApiRequest& request, const Principal& who);
  HttpResponse preferences(const ApiRequest& request, const Principal& who);
  HttpResponse set_preferences(const ApiRequest& request, const Principal& who);
  HttpResponse set_avatar(const ApiRequest& request, const Principal& who);
  HttpResponse remove_avatar(const ApiRequest& request, const Principal& who);
  HttpResponse avatar(const ApiRequest& request, const Principal& who);
  HttpResponse sso_links(const ApiRequest& request, const Principal& who);
  HttpResponse no_sso_link(const ApiRequest& request, const Principal& who);
  HttpResponse sso_options(const ApiRequest& request, const Principal& who);
  HttpResponse no_sso(const ApiRequest& request, const Principal& who);
  HttpResponse sso_providers(const ApiRequest& request, const Principal& who);
  static const Route<AccountResource> kRoutes[];

  Services& services_;
};

}  // namespace dbackup::host
