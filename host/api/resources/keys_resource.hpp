#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// API keys, encryption profiles and recovery kits.
class KeysResource {
 public:
  explicit KeysResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse list_keys(const ApiRequest& request, const Principal& who);
  HttpResponse get_key(const ApiRequest& request, const Principal& who);
  HttpResponse create_key(const ApiRequest& request, const Principal& who);
  HttpResponse delete_key(const ApiRequest& request, const Principal& who);
  HttpResponse list_profiles(const ApiRequest& request, const Principal& who);
  HttpResponse get_profile(const ApiRequest& request, const Principal& who);
  HttpResponse create_profile(const ApiRequest& request, const Principal& who);
  HttpResponse delete_profile(const ApiRequest& request, const Principal& who);
  HttpResponse kit_of_several(const ApiRequest& request, const Principal& who);
  HttpResponse kit_of_one(const ApiRequest& request, const Principal& who);
  HttpResponse kit(const Principal& who, const std::vector<std::string>& ids);
  static const Route<KeysResource> kRoutes[];

  Services& services_;
};

}  // namespace dbackup::host
