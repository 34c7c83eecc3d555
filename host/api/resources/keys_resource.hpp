#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// API keys.
class KeysResource {
 public:
  explicit KeysResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse list_keys(const ApiRequest& request, const Principal& who);
  HttpResponse get_key(const ApiRequest& request, const Principal& who);
  HttpResponse create_key(const ApiRequest& request, const Principal& who);
  HttpResponse update_key(const ApiRequest& request, const Principal& who);
  HttpResponse rotate_key(const ApiRequest& request, const Principal& who);
  HttpResponse bulk_keys(const ApiRequest& request, const Principal& who);
  HttpResponse delete_key(const ApiRequest& request, const Principal& who);
  static const Route<KeysResource> kRoutes[];

  Services& services_;
};

}  // namespace dbackup::host
