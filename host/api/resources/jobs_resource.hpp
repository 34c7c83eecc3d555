#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

class RunFollower;
struct Services;

class JobsResource {
 public:
  JobsResource(Services& services, RunFollower& follower)
      : services_{services}, follower_{follower} {}
  void mount(RouteTable& table);

 private:
  HttpResponse list(const ApiRequest& request, const Principal& who);
  HttpResponse get(const ApiRequest& request, const Principal& who);
  HttpResponse create(const ApiRequest& request, const Principal& who);
  HttpResponse update(const ApiRequest& request, const Principal& who);
  HttpResponse remove(const ApiRequest& request, const Principal& who);
  HttpResponse clone(const ApiRequest& request, const Principal& who);
  HttpResponse bulk(const ApiRequest& request, const Principal& who);
  HttpResponse run(const ApiRequest& request, const Principal& who);
  HttpResponse wait_for_run(const ApiRequest& request, HttpResponse started);
  static const Route<JobsResource> kRoutes[];

  Services& services_;
  RunFollower& follower_;
};

}  // namespace dbackup::host
