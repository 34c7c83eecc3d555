#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// /api/settings/…, but for certificates and system tasks, and what belongs to configuration
/// backups.
class SettingsResource {
 public:
  explicit SettingsResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  template <size_t kIndex>
  void mount_group(RouteTable& table);
  HttpResponse get(const ApiRequest& request, const Principal& who);
  HttpResponse change(const ApiRequest& request, const Principal& who);
  HttpResponse reset(const ApiRequest& request, const Principal& who);
  HttpResponse notifications(const ApiRequest& request, const Principal& who);
  HttpResponse change_notifications(const ApiRequest& request, const Principal& who);
  HttpResponse test_notifications(const ApiRequest& request, const Principal& who);
  HttpResponse config_backup(const ApiRequest& request, const Principal& who);
  HttpResponse change_config_backup(const ApiRequest& request, const Principal& who);
  HttpResponse no_config_backup(const ApiRequest& request, const Principal& who);
  HttpResponse time_zone(const ApiRequest& request, const Principal& who);
  static const Route<SettingsResource> kRoutes[];

  Services& services_;
};

}  // namespace dbackup::host
