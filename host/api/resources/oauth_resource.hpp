#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// Signing in to accounts that adapters reach by OAuth.
class OAuthResource {
 public:
  explicit OAuthResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse begin(const ApiRequest& request, const Principal& who);
  HttpResponse come_back(const ApiRequest& request, const Principal& who);
  HttpResponse validate(const ApiRequest& request, const Principal& who);

  Services& services_;
};

}  // namespace dbackup::host
