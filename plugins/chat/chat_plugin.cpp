// Channels that are told by one HTTP request, each in a file of its own.

#include "channel.hpp"

namespace chat = dbackup::plugins::chat;

DBACKUP_PLUGIN("org.dbackup.chat", "Chat and Push", DBACKUP_SDK_VERSION, chat::discord(),
               chat::slack(), chat::teams(), chat::telegram(), chat::gotify(), chat::ntfy(),
               chat::twilio_sms())
