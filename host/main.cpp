#include "cli/command.hpp"

int main(int argc, char** argv) { return dbackup::host::run_program(argc, argv); }
