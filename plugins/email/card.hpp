#pragma once

#include <common/message_text.hpp>
#include <string>

namespace dbackup::plugins::email {

/// The event as an HTML page of one card. Everything from the event is escaped; nothing is loaded
/// from elsewhere.
std::string card_of(const Event& event, const Message& message);

}  // namespace dbackup::plugins::email
