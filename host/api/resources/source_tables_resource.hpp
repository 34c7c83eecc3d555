#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;

/// Databases, tables and rows of sources, stored or not.
class SourceTablesResource {
 public:
  explicit SourceTablesResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  HttpResponse stats(const ApiRequest& request, const Principal& who);
  HttpResponse tables(const ApiRequest& request, const Principal& who);
  HttpResponse rows(const ApiRequest& request, const Principal& who);

  static const Route<SourceTablesResource> kRoutes[];
  Services& services_;
};

}  // namespace dbackup::host
