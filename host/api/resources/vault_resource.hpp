#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// Encryption profiles and recovery kits.
class VaultResource {
 public:
  explicit VaultResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse list(const ApiRequest& request, const Principal& who);
  HttpResponse create(const ApiRequest& request, const Principal& who);
  HttpResponse import(const ApiRequest& request, const Principal& who);
  HttpResponse recover(const ApiRequest& request, const Principal& who);
  HttpResponse bulk(const ApiRequest& request, const Principal& who);
  HttpResponse get(const ApiRequest& request, const Principal& who);
  HttpResponse update(const ApiRequest& request, const Principal& who);
  HttpResponse rotate(const ApiRequest& request, const Principal& who);
  HttpResponse reveal(const ApiRequest& request, const Principal& who);
  HttpResponse remove(const ApiRequest& request, const Principal& who);
  HttpResponse kit_of_several(const ApiRequest& request, const Principal& who);
  HttpResponse kit_of_one(const ApiRequest& request, const Principal& who);
  HttpResponse kit(const Principal& who, const std::vector<std::string>& ids);
  static const Route<VaultResource> kRoutes[];

  Services& services_;
};

}  // namespace dbackup::host
