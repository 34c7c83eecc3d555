#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// Folders for forms to choose from: of this server, of others, of cloud storages.
class ServerFilesResource {
 public:
  explicit ServerFilesResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse here(const ApiRequest& request, const Principal& who);
  HttpResponse remote(const ApiRequest& request, const Principal& who);
  HttpResponse cloud(const ApiRequest& request, const Principal& who);

  Services& services_;
};

}  // namespace dbackup::host
