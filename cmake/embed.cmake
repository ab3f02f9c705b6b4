# What is data in the repository and part of the binary.
assay_embed(db sql_table.c embed-sql
            ARGUMENTS ${CMAKE_SOURCE_DIR}/src/store/sql
            DEPENDS ${CMAKE_SOURCE_DIR}/src/store/sql/*.sql
                    ${CMAKE_SOURCE_DIR}/src/store/sql/scheduler.txt
                    ${CMAKE_SOURCE_DIR}/src/store/sql/migrations/*.sql)
assay_embed(db copy_table.c embed-copy
            ARGUMENTS ${CMAKE_SOURCE_DIR}/src/store/sql
            DEPENDS ${CMAKE_SOURCE_DIR}/src/store/sql/migrations/*.sql
                    ${CMAKE_SOURCE_DIR}/scripts/embed-sql)
assay_embed(provider builtin_table.c embed-files
            ARGUMENTS builtin_table ${CMAKE_SOURCE_DIR}/providers .yaml
            DEPENDS ${CMAKE_SOURCE_DIR}/providers/*.yaml)
assay_embed(comply framework_table.c embed-files
            ARGUMENTS framework_table ${CMAKE_SOURCE_DIR}/frameworks .yaml
            DEPENDS ${CMAKE_SOURCE_DIR}/frameworks/*.yaml)
