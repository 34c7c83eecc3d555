// Walks an RDB file without unpacking its values: only where each ends must be known. The numbers
// are those of rdb.h; what a type consists of, rdbLoadObject() says.
#include "rdb_reader.hpp"

#include <array>

namespace dbackup::redis {
namespace {

enum Opcode : uint8_t {
  kSlotInfo = 0xF4,
  kFunction2 = 0xF5,
  kFunctionOld = 0xF6,
  kModuleAux = 0xF7,
  kIdle = 0xF8,
  kFrequency = 0xF9,
  kAux = 0xFA,
  kResize = 0xFB,
  kExpiresMs = 0xFC,
  kExpires = 0xFD,
  kSelect = 0xFE,
  kEnd = 0xFF,
};
enum Type : uint8_t {
  kString = 0,
  kList = 1,
  kSet = 2,
  kZset = 3,
  kHash = 4,
  kZset2 = 5,
  kModule2 = 7,
  kZipmap = 9,
  kListZiplist = 10,
  kIntset = 11,
  kZsetZiplist = 12,
  kHashZiplist = 13,
  kQuicklist = 14,
  kStream = 15,
  kHashListpack = 16,
  kZsetListpack = 17,
  kQuicklist2 = 18,
  kStream2 = 19,
  kSetListpack = 20,
  kStream3 = 21,
  kHashFieldsExpireOld = 22,  // 7.4 before its release; Valkey 9: see kHash2
  kHash2 = 22,
  kListpackExpireOld = 23,
  kHashFieldsExpire = 24,
  kListpackExpire = 25,
};
enum ModuleOpcode : uint64_t {
  kModuleEnd = 0,
  kModuleSigned = 1,
  kModuleUnsigned = 2,
  kModuleFloat = 3,
  kModuleDouble = 4,
  kModuleString = 5,
};
constexpr int kFirstVersionWithChecksum = 5;
constexpr uint64_t kStreamIdBytes = 16;

/// Nine characters of 6 bits each, then 10 bits of version.
std::string module_name(uint64_t id) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  for (int shift = 58; shift >= 10; shift -= 6) out += kLetters[(id >> shift) & 63];
  return out;
}

class Walk {
 public:
  Walk(const Call& call, Reader& in, uint64_t most, RdbParts& parts)
      : in_{call, in}, most_{most}, parts_{parts} {}

  void run() {
    read_head();
    parts_.head(head_);
    while (read_one()) {
    }
    const uint64_t sum = in_.checksum();
    if (head_.version >= kFirstVersionWithChecksum) {
      const uint64_t written = in_.le64();
      if (written != 0 && written != sum) {
        throw Error{ErrorCode::DataLoss, "the backup's checksum is wrong: it is damaged"};
      }
    }
    if (!in_.at_end()) throw Error{ErrorCode::DataLoss, "the backup goes on after its end"};
  }

 private:
  void read_head() {
    std::string head;
    while (head.size() < RdbWatch::kHeadBytes && !in_.at_end()) {
      head += static_cast<char>(in_.byte());
    }
    if (head.empty()) throw Error{ErrorCode::DataLoss, "the backup is empty"};
    const auto known = read_rdb_head(head);
    if (!known) throw Error{ErrorCode::InvalidArgument, "the backup is not an RDB file"};
    head_ = *known;
  }

  /// False at the end.
  bool read_one() {
    const uint8_t code = in_.byte();
    switch (code) {
      case kEnd:
        return false;
      case kSelect:
        key_.database = in_.length();
        return true;
      case kResize:
        in_.skip_length();
        in_.skip_length();
        return true;
      case kAux: {
        const std::string name = in_.string();
        parts_.about(name, in_.string());
        return true;
      }
      case kExpiresMs:
        key_.expires_ms = static_cast<int64_t>(in_.le64());
        return true;
      case kExpires:
        key_.expires_ms = int64_t{1000} * static_cast<int32_t>(in_.le32());
        return true;
      case kIdle:
        key_.idle_seconds = in_.length();
        return true;
      case kFrequency:
        key_.frequency = in_.byte();
        return true;
      case kFunction2:
        collect(code, most_, "a function library", [&] { in_.skip_string(); });
        parts_.function(payload_);
        return true;
      case kModuleAux: {
        const uint64_t id = in_.length();
        in_.skip_length();  // the type of the next: always an unsigned number
        in_.skip_length();  // when to load it
        skip_module();
        parts_.module_data(module_name(id));
        return true;
      }
      case kSlotInfo:
        if (head_.is_valkey) break;
        for (int i = 0; i < 3; ++i) in_.skip_length();
        return true;
      case kFunctionOld:
        break;
      default:
        return read_key(code);
    }
    throw unknown("part", code);
  }

  bool read_key(uint8_t type) {
    if (!is_known(type)) throw unknown("type of value", type);
    key_.name = in_.string();
    key_.position = in_.position();
    if (parts_.wants(key_)) {
      collect(type, most_, "the value of key " + key_.shown(), [&] { skip_value(type); });
      parts_.value(key_, payload_);
    } else {
      skip_value(type);
    }
    const uint64_t database = key_.database;
    key_ = {};
    key_.database = database;
    return true;
  }

  template <class Body>
  void collect(uint8_t type, uint64_t most, const std::string& what, Body&& body) {
    constexpr size_t kWorthKeeping = 1024 * 1024;
    if (payload_.capacity() > kWorthKeeping) payload_ = {};
    payload_.assign(1, static_cast<char>(type));
    in_.collect_into(payload_, most);
    try {
      body();
      in_.stop_collecting();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::ResourceExhausted) throw;
      throw Error{error.code(), what + " is larger than the " + std::to_string(most / 1024 / 1024) +
                                    " MiB that \"maxValueMiB\" allows"};
    }
  }

  bool is_known(uint8_t type) const {
    if (head_.is_valkey)
      return (type <= kModule2 && type != 6) || (type >= kZipmap && type <= kHash2);
    return (type <= kModule2 && type != 6) || (type >= kZipmap && type <= kListpackExpire);
  }
  Error unknown(const char* what, uint8_t code) const {
    return Error{ErrorCode::Unimplemented,
                 "the backup holds a " + std::string{what} + " (" + std::to_string(code) +
                     ") that this version cannot restore; its format is version " +
                     std::to_string(head_.version)};
  }

  template <class Body>
  void each(Body&& body) {
    for (uint64_t left = in_.length(); left > 0; --left) body();
  }

  void skip_value(uint8_t type) {
    switch (type) {
      case kList:
      case kSet:
      case kQuicklist:
        return each([&] { in_.skip_string(); });
      case kZset:
        return each([&] {
          in_.skip_string();
          constexpr uint8_t kFirstSpecial = 253;  // not a number and the infinities have no digits
          const uint8_t digits = in_.byte();
          if (digits < kFirstSpecial) in_.skip(digits);
        });
      case kZset2:
        return each([&] {
          in_.skip_string();
          in_.skip(8);
        });
      case kHash:
        return each([&] {
          in_.skip_string();
          in_.skip_string();
        });
      case kQuicklist2:
        return each([&] {
          in_.skip_length();  // one large element, or many packed
          in_.skip_string();
        });
      case kStream:
      case kStream2:
      case kStream3:
        return skip_stream(type);
      case kModule2:
        in_.skip_length();
        return skip_module();
      case kHashFieldsExpireOld:
      case kHashFieldsExpire:
        return skip_expiring_hash(type);
      case kListpackExpire:
        in_.skip(8);
        return in_.skip_string();
      default:  // everything else is packed into one string
        return in_.skip_string();
    }
  }

  void skip_expiring_hash(uint8_t type) {
    if (head_.is_valkey) {
      return each([&] {
        in_.skip_string();
        in_.skip_string();
        in_.skip(8);
      });
    }
    if (type == kHashFieldsExpire) in_.skip(8);
    each([&] {
      in_.skip_length();
      in_.skip_string();
      in_.skip_string();
    });
  }

  void skip_stream(uint8_t type) {
    each([&] {
      in_.skip_string();
      in_.skip_string();
    });
    for (int i = 0; i < 3; ++i) in_.skip_length();  // length, last id
    if (type >= kStream2) {
      for (int i = 0; i < 5; ++i) in_.skip_length();  // first id, last deleted id, ever added
    }
    each([&] {
      in_.skip_string();
      for (int i = type >= kStream2 ? 3 : 2; i > 0; --i) in_.skip_length();
      each([&] {  // pending: id, delivered at, how often
        in_.skip(kStreamIdBytes + 8);
        in_.skip_length();
      });
      each([&] {  // consumers: name, seen at, active at, what is pending for each
        in_.skip_string();
        in_.skip(type >= kStream3 ? 16 : 8);
        each([&] { in_.skip(kStreamIdBytes); });
      });
    });
  }

  void skip_module() {
    while (true) {
      switch (in_.length()) {
        case kModuleEnd:
          return;
        case kModuleSigned:
        case kModuleUnsigned:
          in_.skip_length();
          break;
        case kModuleFloat:
          in_.skip(4);
          break;
        case kModuleDouble:
          in_.skip(8);
          break;
        case kModuleString:
          in_.skip_string();
          break;
        default:
          throw Error{ErrorCode::DataLoss,
                      "the backup is damaged at byte " + std::to_string(in_.position())};
      }
    }
  }

  RdbInput in_;
  uint64_t most_;
  RdbParts& parts_;
  RdbHead head_;
  RdbKey key_;
  std::string payload_;
};

}  // namespace

std::string RdbKey::shown() const {
  constexpr size_t kMost = 100;
  std::string out = "\"";
  for (const char c : std::string_view{name}.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      out += c;
    } else {
      constexpr std::string_view kDigits = "0123456789abcdef";
      out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out + (name.size() > kMost ? "…\"" : "\"");
}

void read_rdb(const Call& call, Reader& in, uint64_t most_value_bytes, RdbParts& parts) {
  Walk{call, in, most_value_bytes, parts}.run();
}

}  // namespace dbackup::redis
