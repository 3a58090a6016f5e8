#pragma once
#include <sched.h>
