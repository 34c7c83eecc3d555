#pragma once

#include <string>

#include "base/clock.hpp"

namespace dbackup::host {

/// What was told to one channel, and whether it arrived. Without secrets. An empty string stands for
/// "none" where a value is optional.
struct NotificationLog {
  std::string id;
  std::string event_type;    ///< backup_success, …
  std::string channel_id;    ///< adapter configuration; "" once nobody knows it
  std::string channel_name;  ///< kept when the channel goes
  std::string adapter_id;    ///< kind of the channel: generic-webhook, …
  std::string status;        ///< Success, Failed
  std::string title, message;
  std::string fields;  ///< JSON array of {name, value, inline?}
  std::string color;
  std::string rendered_html;
  std::string rendered_payload;  ///< JSON: what the service was sent, or else the event
  std::string error;
  std::string execution_id;
  TimeMs sent_at = 0;
};

}  // namespace dbackup::host
