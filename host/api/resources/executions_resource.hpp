#pragma once

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

class RunFollower;
struct Services;

class ExecutionsResource {
 public:
  ExecutionsResource(Services& services, RunFollower& follower)
      : services_{services}, follower_{follower} {}
  void mount(RouteTable& table);

 private:
  HttpResponse list(const ApiRequest& request, const Principal& who);
  HttpResponse get(const ApiRequest& request, const Principal& who);
  HttpResponse wait(const ApiRequest& request, HttpResponse now);
  HttpResponse logs(const ApiRequest& request, const Principal& who);
  HttpResponse log_text(const ApiRequest& request);
  HttpResponse events(const ApiRequest& request, const Principal& who);
  HttpResponse all_events(const ApiRequest& request, const Principal& who);
  HttpResponse cancel(const ApiRequest& request, const Principal& who);
  HttpResponse history(const ApiRequest& request, const Principal& who);
  static const Route<ExecutionsResource> kRoutes[];

  HttpResponse detail(const std::string& id, bool with_logs);

  Services& services_;
  RunFollower& follower_;
};

}  // namespace dbackup::host
