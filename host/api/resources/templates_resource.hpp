#pragma once

#include "api/resources/resource_base.hpp"
#include "model/template.hpp"

namespace dbackup::host {

struct Services;

/// Templates: the same routes for each kind, and the built-in groups of exclude patterns.
class TemplatesResource {
 public:
  explicit TemplatesResource(Services& services) : services_{services} {}
  void mount(RouteTable& table);

 private:
  template <TemplateKind kKind>
  void mount_kind(RouteTable& table);

  HttpResponse list(const ApiRequest& request, const Principal& who);
  HttpResponse create(const ApiRequest& request, const Principal& who);
  HttpResponse get(const ApiRequest& request, const Principal& who);
  HttpResponse update(const ApiRequest& request, const Principal& who);
  HttpResponse remove(const ApiRequest& request, const Principal& who);
  HttpResponse bulk(const ApiRequest& request, const Principal& who);
  HttpResponse set_default(const ApiRequest& request, const Principal& who);
  HttpResponse clear_default(const ApiRequest& request, const Principal& who);
  HttpResponse exclude_groups(const ApiRequest& request, const Principal& who);

  Services& services_;
};

}  // namespace dbackup::host
