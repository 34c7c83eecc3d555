// Four adapters for one protocol: they differ in where the server is and in what it knows.
#include <array>
#include <dbackup/plugin.hpp>

#include "s3_storage.hpp"

namespace {

using dbackup::Option;
using dbackup::plugins::s3::Flavour;

template <Flavour kFlavour>
class Adapter final : public dbackup::plugins::s3::S3Storage {
 public:
  explicit Adapter(const dbackup::Config& config) : S3Storage{config, kFlavour} {}
};

constexpr Option kBucket{
    .name = "bucket", .help = "Name of the bucket; it must exist.", .required = true};
constexpr Option kAccessKeyId{.name = "accessKeyId",
                              .help = "Access key id; a credential profile may give it.",
                              .required = true,
                              .secret = true};
constexpr Option kSecretAccessKey{.name = "secretAccessKey",
                                  .help = "Secret access key; a credential profile may give it.",
                                  .required = true,
                                  .secret = true};
constexpr Option kSessionToken{
    .name = "sessionToken", .help = "Session token of temporary credentials.", .secret = true};
constexpr Option kPathPrefix{.name = "pathPrefix",
                             .help =
                                 "Folder in the bucket that everything stays in, tests too; "
                                 "outer slashes do not count."};
constexpr Option kPathPrefixRequired{.name = "pathPrefix",
                                     .help =
                                         "Folder in the bucket that everything stays in, tests "
                                         "too; outer slashes do not count.",
                                     .required = true};
constexpr Option kEndpoint{.name = "endpoint",
                           .help =
                               "Another address of the service, as URL or host name, for example a "
                               "private one; the bucket's name is put before its host."};
constexpr Option kForcePathStyle{
    .name = "forcePathStyle",
    .type = "boolean",
    .help =
        "Put the bucket's name into the path instead of the host "
        "name. Always so for an address, and for a name with a dot over TLS.",
    .fallback = "false"};
constexpr Option kCaFile{.name = "caFile",
                         .type = "path",
                         .help =
                             "PEM file with the only certificate authorities that are trusted; "
                             "without one, those of the system."};
constexpr Option kPartSize{.name = "partSizeMiB",
                           .type = "integer",
                           .help =
                               "Size of the first parts of a multipart upload; smaller objects "
                               "are stored by one request.",
                           .fallback = "8",
                           .minimum = 5,
                           .maximum = 5120};
constexpr Option kPartSizeEqual{.name = "partSizeMiB",
                                .type = "integer",
                                .help =
                                    "Size of every part but the last; 10,000 of them are the "
                                    "largest object.",
                                .fallback = "16",
                                .minimum = 5,
                                .maximum = 5120};
constexpr Option kMemory{.name = "memoryMiB",
                         .type = "integer",
                         .help =
                             "Memory for parts that are read or sent, at least two parts; decides "
                             "how many are sent at once, and how large they can grow.",
                         .fallback = "64",
                         .minimum = 10,
                         .maximum = 65536};
constexpr Option kEncryption{.name = "serverSideEncryption",
                             .type = "choice",
                             .help = "Encryption by the server; \"none\" leaves it to the bucket.",
                             .fallback = "none",
                             .choices = "none|AES256|aws:kms"};
constexpr Option kKmsKey{.name = "sseKmsKeyId",
                         .help = "Key for \"aws:kms\"; without one, the account's own."};
constexpr Option kLockMode{.name = "objectLockMode",
                           .type = "choice",
                           .help =
                               "Protects every object from deletion until its days are over; the "
                               "bucket must have object lock.",
                           .fallback = "none",
                           .choices = "none|GOVERNANCE|COMPLIANCE"};
constexpr Option kLockDays{.name = "objectLockDays",
                           .type = "integer",
                           .help = "Days from the upload on that an object is protected.",
                           .fallback = "0",
                           .minimum = 0,
                           .maximum = 36500};
constexpr Option kConditionalWrites{.name = "conditionalWrites",
                                    .type = "choice",
                                    .help =
                                        "Let the server decide who gets a name (If-None-Match). "
                                        "\"auto\" looks the name up first too, "
                                        "and goes on without when the server refuses the header.",
                                    .fallback = "auto",
                                    .choices = "auto|on|off"};
constexpr Option kChecksumAws{.name = "checksum",
                              .type = "choice",
                              .help =
                                  "Checksum the server keeps (sha256) or checks (md5) beside the "
                                  "signed SHA-256 of every request.",
                              .fallback = "sha256",
                              .choices = "sha256|md5|none"};
constexpr Option kChecksum{.name = "checksum",
                           .type = "choice",
                           .help =
                               "Checksum the server keeps (sha256) or checks (md5) beside the "
                               "signed SHA-256 of every request; not every server knows them.",
                           .fallback = "none",
                           .choices = "sha256|md5|none"};
constexpr Option kMaxFiles{.name = "maxConcurrentFiles",
                           .type = "integer",
                           .help =
                               "How many files a run may transfer at once; more than 16 count as "
                               "16. A backup is one file.",
                           .fallback = "4",
                           .minimum = 1};

constexpr std::array kAwsOptions{
    Option{.name = "region",
           .help = "Region of the bucket, for example eu-central-1.",
           .required = true},
    kBucket,
    kAccessKeyId,
    kSecretAccessKey,
    kSessionToken,
    kPathPrefix,
    Option{.name = "storageClass",
           .type = "choice",
           .help = "Storage class of backups; their side files stay in STANDARD beside the archive "
                   "classes.",
           .fallback = "STANDARD",
           .choices = "STANDARD|STANDARD_IA|GLACIER|DEEP_ARCHIVE|ONEZONE_IA|INTELLIGENT_TIERING|"
                      "GLACIER_IR|REDUCED_REDUNDANCY"},
    kEncryption,
    kKmsKey,
    kLockMode,
    kLockDays,
    kChecksumAws,
    kPartSize,
    kMemory,
    kEndpoint,
    kForcePathStyle,
    kCaFile,
    kMaxFiles};

constexpr std::array kGenericOptions{
    Option{.name = "endpoint",
           .help = "Address of the server, for example https://s3.example.org:9000; without "
                   "\"https://\" that is meant.",
           .required = true},
    Option{.name = "region",
           .help = "Region that requests are signed for; many servers take any.",
           .fallback = "us-east-1"},
    kBucket,
    kAccessKeyId,
    kSecretAccessKey,
    kSessionToken,
    kPathPrefix,
    kForcePathStyle,
    Option{
        .name = "storageClass",
        .help = "Storage class of backups, as the server names it; without one, the server's own."},
    kEncryption,
    kKmsKey,
    kLockMode,
    kLockDays,
    kConditionalWrites,
    kChecksum,
    kPartSize,
    kMemory,
    kCaFile,
    kMaxFiles};

constexpr std::array kR2Options{
    Option{.name = "accountId", .help = "Id of the Cloudflare account.", .required = true},
    Option{.name = "jurisdiction",
           .type = "choice",
           .help = "Jurisdiction the bucket was made in.",
           .fallback = "default",
           .choices = "default|eu|fedramp"},
    kBucket,
    kAccessKeyId,
    kSecretAccessKey,
    kSessionToken,
    kPathPrefix,
    kChecksum,
    kPartSizeEqual,
    kMemory,
    kEndpoint,
    kForcePathStyle,
    kCaFile,
    kMaxFiles};

constexpr std::array kHetznerOptions{Option{.name = "region",
                                            .type = "choice",
                                            .help = "Location of the bucket.",
                                            .fallback = "fsn1",
                                            .choices = "fsn1|nbg1|hel1|ash"},
                                     kBucket,
                                     kAccessKeyId,
                                     kSecretAccessKey,
                                     kSessionToken,
                                     kPathPrefixRequired,
                                     kEncryption,
                                     kKmsKey,
                                     kLockMode,
                                     kLockDays,
                                     kConditionalWrites,
                                     kChecksum,
                                     kPartSize,
                                     kMemory,
                                     kEndpoint,
                                     kForcePathStyle,
                                     kCaFile,
                                     kMaxFiles};

constexpr dbackup::AdapterInfo info(const char* id, const char* name,
                                    std::span<const Option> options) {
  return {.id = id,
          .name = name,
          .options = options,
          .credentials = {.primary = "ACCESS_KEY", .primary_optional = true},
          .group = "Cloud Storage (S3)"};
}

constexpr dbackup::StorageCapabilities capabilities(dbackup::ExclusiveCommit commit, bool locks) {
  return {.exclusive_commit = commit,
          .ranged_get = true,
          .browse = true,
          .retain_until = locks,
          .atomic_replace = true};
}
constexpr auto kAtomic = dbackup::ExclusiveCommit::Atomic;
constexpr auto kChecked = dbackup::ExclusiveCommit::Checked;

}  // namespace

DBACKUP_PLUGIN(
    "org.dbackup.s3", "S3", DBACKUP_SDK_VERSION,
    dbackup::storage<Adapter<Flavour::Aws>>(info("s3-aws", "Amazon S3", kAwsOptions),
                                            capabilities(kAtomic, true)),
    dbackup::storage<Adapter<Flavour::Generic>>(info("s3-generic", "S3 Compatible (Generic)",
                                                     kGenericOptions),
                                                capabilities(kChecked, true)),
    dbackup::storage<Adapter<Flavour::R2>>(info("s3-r2", "Cloudflare R2", kR2Options),
                                           capabilities(kAtomic, false)),
    dbackup::storage<Adapter<Flavour::Hetzner>>(info("s3-hetzner", "Hetzner Object Storage",
                                                     kHetznerOptions),
                                                capabilities(kChecked, true)))
