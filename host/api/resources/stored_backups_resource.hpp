#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// Stored backups beyond listing and fetching: locks, bulk calls, prepared downloads, what is
/// inside.
class StoredBackupsResource {
 public:
  explicit StoredBackupsResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse bulk(const ApiRequest& request, const Principal& who);
  HttpResponse lock(const ApiRequest& request, const Principal& who);
  HttpResponse download(const ApiRequest& request, const Principal& who);
  HttpResponse verify_async(const ApiRequest& request, const Principal& who);
  HttpResponse analyze(const ApiRequest& request, const Principal& who);
  HttpResponse browse_archive(const ApiRequest& request, const Principal& who);
  HttpResponse restore_files(const ApiRequest& request, const Principal& who);
  HttpResponse restored_files(const ApiRequest& request, const Principal& who);
  HttpResponse check_path(const ApiRequest& request, const Principal& who);
  HttpResponse alerts(const ApiRequest& request, const Principal& who);
  HttpResponse set_alerts(const ApiRequest& request, const Principal& who);
  static const Route<StoredBackupsResource> kRoutes[];

  Services& services_;
};

}  // namespace dbackup::host
