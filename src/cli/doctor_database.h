/* doctor_database.h - the database: reachable, current, whole, guarded; its clock; its leases.
 *
 * When it cannot be reached, examination->db is NULL and only doctor_whole() has something to say,
 * about the file.
 */
#pragma once

#include "cli/checkup.h"

/* Opens the database without changing it, and sets examination->db. */
void doctor_reach(Examination *examination);
void doctor_schema(Examination *examination);
void doctor_whole(Examination *examination);
void doctor_server(Examination *examination);
void doctor_clock(Examination *examination);
void doctor_leases(Examination *examination);
