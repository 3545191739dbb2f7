#include "greetings.hpp"

std::string greeting() { return "hello"; }
