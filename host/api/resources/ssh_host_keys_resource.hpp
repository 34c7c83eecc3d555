#pragma once

#include "api/resources/resource_base.hpp"
#include "services/ssh_host_key_service.hpp"

namespace dbackup::host {

struct Services;

/// The keys that SSH servers are known by; nobody else needs their service.
class SshHostKeysResource {
 public:
  explicit SshHostKeysResource(Services& services);
  void mount(RouteTable& table);

 private:
  HttpResponse list(const ApiRequest& request, const Principal& who);
  HttpResponse set(const ApiRequest& request, const Principal& who);
  HttpResponse remove(const ApiRequest& request, const Principal& who);
  static const Route<SshHostKeysResource> kRoutes[];

  SshHostKeyService keys_;
};

}  // namespace dbackup::host
